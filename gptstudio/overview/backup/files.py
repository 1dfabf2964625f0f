"""Files of a studio's home, and copies of them with their digests. What they hold is not looked at."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from gptstudio.core.artifacts import CHUNK
from gptstudio.core.digests import file_digest
from gptstudio.core.disk import room_for
from gptstudio.core.errors import Invalid
from gptstudio.overview.backup.manifest import Kept

SECRETS = ("secret_key", "engine_token")
DATABASE = ("studio.sqlite3", "studio.sqlite3-wal", "studio.sqlite3-shm")
# What only processes that run now know something to do with: signs of life, messages that wake (rows are sent again),
# bodies under way, scratch. `demo` is what the demo made for itself.
PASSING = ("broker", "heartbeats", "run.lock", "uploading", "work", "static", "demo")
HALF_MADE = (".staging-", ".incoming-")


def lasting(home: Path) -> Iterator[Path]:
    """Every file of the home that makes the studio, in the order of paths. Links are followed, in no circles."""
    apart = {*SECRETS, *DATABASE, *PASSING}
    for top in sorted(home.iterdir()):
        if top.name in apart or top.name.startswith(HALF_MADE):
            continue
        if top.is_file():
            yield top
        for folder, names, files in os.walk(top, followlinks=True, onerror=_refuse):
            names[:] = sorted(name for name in names if not _goes_round(Path(folder, name), home))
            yield from (Path(folder, name) for name in sorted(files) if not name.startswith(HALF_MADE))


def _refuse(error: OSError) -> None:
    """A folder that cannot be read would be missing from the backup, and nobody would know; one that is gone is erased."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _goes_round(path: Path, home: Path) -> bool:
    """Whether a folder is half-made, or a link to one that it lies in itself."""
    if path.name.startswith(HALF_MADE):
        return True
    return path.is_symlink() and (path.parent.resolve().is_relative_to(path.resolve()) or path.resolve() == home)


def copy(source: Path, target: Path) -> tuple[int, str]:
    """Copy what a file holds. Returns the bytes and their SHA-256."""
    found, size = hashlib.sha256(), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with room_for("the backup"), source.open("rb") as read, target.open("wb") as written:
        while chunk := read.read(CHUNK):
            found.update(chunk)
            written.write(chunk)
            size += len(chunk)
    return size, found.hexdigest()


def kept(source: Path, folder: Path, name: str) -> Kept:
    """Copy a file into the backup in `folder` under `name`, and say what it holds."""
    size, digest = copy(source, folder / name)
    return Kept(path=name, size=size, sha256=digest, mode=f"{source.stat().st_mode & 0o777:03o}")


def fetched(path: Path, folder: Path) -> Kept:
    """What a file holds that the bucket put into the backup in `folder`."""
    name = path.relative_to(folder).as_posix()
    mode = f"{path.stat().st_mode & 0o777:03o}"
    return Kept(path=name, size=path.stat().st_size, sha256=file_digest(path), mode=mode)


def made(folder: Path, name: str) -> Kept:
    """What a file holds that was written to the backup in `folder` itself; nobody else may read it."""
    path = folder / name
    path.chmod(0o600)
    return Kept(path=name, size=path.stat().st_size, sha256=file_digest(path), mode="600")


def check(folder: Path, wanted: Kept) -> None:
    """Raise Invalid, with the file's name, unless it is there and what it was."""
    path = folder / wanted.path
    try:
        digest = file_digest(path)
    except OSError as error:
        raise _not_whole(path, "cannot be read") from error
    if digest != wanted.sha256:
        raise _not_whole(path, "is not what was written")


def put_back(folder: Path, wanted: Kept, target: Path) -> None:
    """Copy a file of the backup to `target`, with its rights; Invalid where it changed since it was checked."""
    _, digest = copy(folder / wanted.path, target)
    if digest != wanted.sha256:
        raise _not_whole(folder / wanted.path, "changed while it was read")
    target.chmod(int(wanted.mode, 8))


def _not_whole(path: Path, why: str) -> Invalid:
    return Invalid(f"This backup is damaged: {path} {why}.", fix="Take another copy of it. Nothing was restored.")
