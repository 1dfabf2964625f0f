"""Content-addressed files under STUDIO_HOME: written once, read-only, named by what they hold."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

CHUNK = 1 << 20


def root() -> Path:
    """The folder of model folders: `artifacts/<digest>/`. Engines may load from here only."""
    path = Path(settings.STUDIO_HOME) / "artifacts"
    path.mkdir(parents=True, exist_ok=True)
    return path


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(folder: Path) -> str:
    """SHA-256 over the sorted lines `<relative path> <file digest>` of every file below `folder`."""
    lines = [
        f"{path.relative_to(folder).as_posix()} {file_digest(path)}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def store_folder(folder: Path) -> tuple[str, Path]:
    """Copy `folder` into the store. Returns its digest and where it lies; storing the same content twice is free."""
    digest = folder_digest(folder)
    target = root() / digest
    if target.exists():
        return digest, target
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=root()))
    try:
        shutil.copytree(folder, staging / "content")
        for path in (staging / "content").rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        (staging / "content").rename(target)
    except OSError:
        if not target.exists():  # not a race with the same content, but a real failure
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    _sync(root())
    return digest, target


def store_stream(chunks: Iterable[bytes], *, folder: str, limit: int) -> tuple[str, int, Path]:
    """Write `chunks` to `<STUDIO_HOME>/<folder>/<digest>` without holding them in memory.

    Returns digest, size in bytes and path. Raises ValueError once `limit` bytes are passed; nothing is left behind.
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
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync(base)
    return digest.hexdigest(), size, target


def inside(path: Path, base: Path) -> bool:
    """Whether `path`, with links resolved, lies below `base`."""
    return path.resolve().is_relative_to(base.resolve())
