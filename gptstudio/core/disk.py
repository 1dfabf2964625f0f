"""A disk that is full, said as a sentence. Knows what is written nowhere else than by the word for it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gptstudio.core.errors import StudioError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
KEPT_FREE = 64 * 1024 * 1024


class DiskFull(StudioError):
    """There is no room for what was sent or made."""

    status = 507
    code = "disk_full"


def no_room(what: str) -> DiskFull:
    """The refusal of `what` for want of room."""
    return DiskFull(
        f"There is no room on the studio's disk for {what}.", fix="Make room, or ask whoever runs the studio to."
    )


@contextmanager
def room_for(what: str) -> Iterator[None]:
    """Turn the errors of a full disk into DiskFull; all others pass."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise no_room(what) from error
        raise


def size_of(paths: Iterable[Path]) -> int:
    """Bytes of these files, and of all files below these folders. What vanishes meanwhile takes no room."""
    total = 0
    for path in paths:
        for file in path.rglob("*") if path.is_dir() else [path]:
            try:
                total += file.lstat().st_size if file.is_file() else 0
            except FileNotFoundError:
                continue
    return total


def check_room(folder: Path, size: int, *, what: str) -> None:
    """Raise DiskFull where `size` bytes more would fill the disk that holds `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < size + KEPT_FREE:
        raise no_room(what)


def unreadable(error: OSError, *, doing: str) -> str:
    """The sentence of a file or folder that cannot be read or written, for who keeps the machine. `doing` is what ended."""
    why = error.strerror or type(error).__name__
    what = error.filename or "a file"
    return f"{doing}: {what} cannot be read or written ({why}). Give it to the user {os.geteuid()}, who runs this."
