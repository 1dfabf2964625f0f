"""Zip and gzip archives: their members as files of their own in a scratch folder, within limits. Reads no format.

No name from an archive ever becomes a path. What a member unpacks to is counted while it is written.
"""

from __future__ import annotations

import errno
import gzip
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from datasets_app.curation.errors import Refusal

CHUNK_BYTES = 1 << 20
MOST_BYTES = 16 << 30
MOST_RATIO = 200
FREE_BYTES = 64 << 20
MOST_MEMBERS = 1000
KEPT_FREE = 256 << 20
GZIP, ZIP, TAR = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"), b"ustar"
DAMAGED = (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive, unpacked to ``path``; ``name`` is the archive's and its own, as ledgers show it."""

    name: str
    path: Path


@dataclass(slots=True)
class Unpacked:
    """What came out of an archive, what was refused of it, and how many entries hold no data."""

    members: list[Member] = field(default_factory=list)
    refused: list[tuple[str, Refusal]] = field(default_factory=list)
    passed_over: int = 0


@dataclass(slots=True)
class _Budget:
    """How much may still be unpacked; ``packed`` is the archive's own size."""

    name: str
    packed: int
    used: int = 0

    def take(self, count: int) -> None:
        self.used += count
        if self.used > MOST_BYTES or (self.used > FREE_BYTES and self.used > self.packed * MOST_RATIO):
            raise Refusal(
                code="zip_bomb",
                message=f"{self.name} unpacks to more than {self.used / max(1, self.packed):,.0f} times its size "
                f"({self.used / 2**20:,.0f} MB so far), so it was not read.",
                fix="If it is sound, unpack it and upload the files by themselves.",
            )


def archive_kind(path: Path) -> str | None:
    """``zip``, ``gzip``, or None for what is no archive by its first bytes."""
    with path.open("rb") as stream:
        head = stream.read(4)
    if head[:2] == GZIP:
        return "gzip"
    return "zip" if head in ZIP else None


def unpack(path: Path, name: str, folder: Path) -> Unpacked:
    """Unpack ``path``, called ``name``, into ``folder``. Raises Refusal for what is damaged, a bomb, or too much."""
    try:
        if archive_kind(path) == "gzip":
            return _unpack_gzip(path, name, folder)
        return _unpack_zip(path, name, folder)
    except DAMAGED as error:
        raise _damaged(name) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise _full(name) from error
        raise _damaged(name) from error


def _damaged(name: str) -> Refusal:
    fix = "Pack it again, or upload the files by themselves."
    return Refusal(code="broken_archive", message=f"{name} is damaged and cannot be unpacked.", fix=fix)


def _full(name: str) -> Refusal:
    fix = "Make room, or upload a smaller file."
    return Refusal(code="disk_full", message=f"There is no room on the disk to unpack {name}.", fix=fix)


def _unpack_gzip(path: Path, name: str, folder: Path) -> Unpacked:
    target = folder / "0"
    with gzip.open(path) as stream:
        _copy(stream, target, _Budget(name, path.stat().st_size))
    inner = name[:-3] if name.lower().endswith(".gz") else name
    if (refusal := _nested(target, name)) is not None:
        raise refusal
    return Unpacked([Member(inner, target)])


def _unpack_zip(path: Path, name: str, folder: Path) -> Unpacked:
    found, taken, budget = Unpacked(), set[str](), _Budget(name, path.stat().st_size)
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        wanted = [entry for entry in entries if not _is_litter(entry.filename)]
        found.passed_over = len(entries) - len(wanted)
        if len(wanted) > MOST_MEMBERS:
            message = f"{name} holds {len(wanted):,} files; at most {MOST_MEMBERS:,} are read."
            raise Refusal(code="too_many_files", message=message, fix="Join them, or upload them in several archives.")
        for number, entry in enumerate(wanted):
            shown = _once(f"{name}/{plain_name(entry.filename)}", taken)
            try:
                found.members.append(_member(archive, entry, shown, folder / str(number), budget))
            except Refusal as refusal:
                if refusal.code == "zip_bomb":
                    raise
                found.refused.append((shown, refusal))
    if not wanted:
        raise Refusal(code="empty_file", message=f"{name} holds no file.", fix="Pack it again with the data in it.")
    return found


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, target: Path, budget: _Budget) -> Member:
    if entry.flag_bits & 1:
        message = f"{name} is locked with a password."
        raise Refusal(code="locked", message=message, fix="Pack it again without a password.")
    try:
        with archive.open(entry) as stream:
            _copy(stream, target, budget)
    except DAMAGED as error:
        raise _damaged(name) from error
    if (refusal := _nested(target, name)) is not None:
        raise refusal
    return Member(name, target)


def _copy(stream: IO[bytes] | gzip.GzipFile, target: Path, budget: _Budget) -> None:
    with target.open("wb") as out:
        for chunk in _chunks(stream):
            budget.take(len(chunk))
            if budget.used > FREE_BYTES and shutil.disk_usage(target.parent).free < KEPT_FREE:
                raise _full(budget.name)
            out.write(chunk)


def _chunks(stream: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def _nested(path: Path, name: str) -> Refusal | None:
    """An archive in an archive is refused and removed; a workbook, which is a zip as well, is none."""
    with path.open("rb") as stream:
        head = stream.read(512)
    is_tar = head[257:262] == TAR
    if not is_tar and (archive_kind(path) is None or _is_office(path)):
        return None
    path.unlink()
    kind = "a tar archive" if is_tar else "an archive inside an archive"
    return Refusal(
        code="nested_archive", message=f"{name} is {kind}.", fix="Unpack it and upload the files in one zip."
    )


def _is_office(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def _is_litter(name: str) -> bool:
    """What file managers put into archives beside the data."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return not parts or "__MACOSX" in parts or parts[-1].startswith(".") or parts[-1].lower() == "thumbs.db"


def plain_name(name: str) -> str:
    """A member's name for people: no way out of a folder, nothing that cannot be printed, not too long."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    kept = ["".join(sign for sign in part if sign.isprintable()) for part in parts if part not in ("..", ".", "/")]
    return "/".join(part for part in kept if part)[-200:] or "file"


def _once(name: str, taken: set[str]) -> str:
    """The name, with a number where the archive has it twice."""
    found, number = name, 1
    while found in taken:
        number += 1
        stem, dot, suffix = name.rpartition(".")
        found = f"{stem} ({number}){dot}{suffix}" if dot else f"{name} ({number})"
    taken.add(found)
    return found
