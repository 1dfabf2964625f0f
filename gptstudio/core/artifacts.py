"""Content-addressed files under STUDIO_HOME: written once, read-only, named by what they hold."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from django.conf import settings

from gptstudio.core import storage

CHUNK = 1 << 20


def unwatched() -> None:
    """Nobody wants to hear how a copy goes on."""


def root() -> Path:
    """The folder of model folders: `artifacts/<digest>/`. Engines may load from here only."""
    path = Path(settings.STUDIO_HOME) / "artifacts"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _chunks(path: Path, on_chunk: Callable[[], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
            on_chunk()


def folder_digest(folder: Path, *, on_chunk: Callable[[], None] = unwatched) -> str:
    """SHA-256 over the sorted lines `<relative path> <file digest>` of every file below `folder`."""

    def digest(path: Path) -> str:
        found = hashlib.sha256()
        for chunk in _chunks(path, on_chunk):
            found.update(chunk)
        return found.hexdigest()

    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return digest_of((path.relative_to(folder).as_posix(), digest(path)) for path in files)


def digest_of(files: Iterable[tuple[str, str]]) -> str:
    """The same of files whose relative paths and digests are known, in the order of their paths."""
    return hashlib.sha256("".join(f"{name} {digest}\n" for name, digest in files).encode()).hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def delete(digest: str, *, suffix: str) -> None:
    """Delete files of a stored folder by their ending, here and in the bucket where there is one; the others stay."""
    for path in sorted((root() / digest).rglob(f"*{suffix}")):
        path.parent.chmod(0o755)
        path.unlink(missing_ok=True)
    storage.drop(f"artifacts/{digest}", suffix=suffix)


def store_folder(folder: Path, *, on_chunk: Callable[[], None] = unwatched) -> tuple[str, Path]:
    """Copy `folder` into the store, and to the bucket where there is one. Returns its digest and where it lies; storing the
    same content twice is free, unless files of it were deleted meanwhile.

    `on_chunk` is called at each megabyte that was hashed or copied, and while the bucket takes it: gigabytes take minutes.
    """
    digest = folder_digest(folder, on_chunk=on_chunk)
    target = root() / digest
    if target.exists() and _names(target) == _names(folder):
        _keep(digest, target, on_chunk)
        return digest, target
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=root()))

    def copy(source: str, copied: str) -> None:
        with Path(copied).open("wb") as file:
            file.writelines(_chunks(Path(source), on_chunk))

    try:
        shutil.copytree(folder, staging / "content", copy_function=copy)
        for path in (staging / "content").rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        _keep(digest, staging / "content", on_chunk)
        if target.exists():
            target.rename(staging / "rest")
        (staging / "content").rename(target)
    except OSError:
        if not target.exists():  # not a race with the same content, but a real failure
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    _sync(root())
    return digest, target


def _keep(digest: str, folder: Path, on_chunk: Callable[[], None]) -> None:
    """Have the bucket hold all of it, unless it does."""
    name = f"artifacts/{digest}"
    kept = storage.listed(name) if storage.is_set() else None
    if kept is None or kept.files.keys() != storage.files_below(folder):
        with storage.beating(on_chunk):
            storage.keep(name, folder)


def keep_folder(folder: Path, *, under: str, digest: str) -> Path:
    """Move a folder on the same disk to `<STUDIO_HOME>/<under>/<digest>`, its files read-only. Returns where it lies."""
    base = Path(settings.STUDIO_HOME) / under
    base.mkdir(parents=True, exist_ok=True)
    target = base / digest
    if not target.exists():
        for path in folder.iterdir():
            path.chmod(0o444)
        folder.rename(target)
        _sync(base)
    return target


def store_stream(chunks: Iterable[bytes], *, folder: str, limit: int) -> tuple[str, int, Path]:
    """Write `chunks` to `<STUDIO_HOME>/<folder>/<digest>` without holding them in memory, and to the bucket where there is one.

    Returns digest, size in bytes and path. Raises ValueError once `limit` bytes are passed, Unavailable where the bucket
    does not take it; nothing is left behind.
    """
    base = Path(settings.STUDIO_HOME) / folder
    base.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    descriptor, name = tempfile.mkstemp(prefix=".incoming-", dir=base)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise ValueError(f"more than {limit} bytes")
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        target = base / digest.hexdigest()
        storage.keep(f"{folder}/{digest.hexdigest()}", Path(name))
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync(base)
    return digest.hexdigest(), size, target


def inside(path: Path, base: Path) -> bool:
    """Whether `path`, with links resolved, lies below `base`."""
    return path.resolve().is_relative_to(base.resolve())
