"""What of the bucket lies on this machine, within STORAGE_CACHE_GB: what nobody asked for longest goes first."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

from gptstudio.core.disk import size_of
from gptstudio.core.storage import bucket
from gptstudio.core.storage.folders import fetched, files_below, is_set, keep, listed, names, place, remove_here

logger = logging.getLogger(__name__)
FOLDERS = ("uploads", "versions", "artifacts", "exports")  # what never changes once it is there
HELD_SECONDS = 3_600.0  # who was given a path may read from it for so long
NOTED_SECONDS = 60.0


def _names_here() -> Iterator[str]:
    for folder in FOLDERS:
        if place(folder).is_dir():
            yield from (f"{folder}/{path.name}" for path in place(folder).iterdir() if not path.name.startswith("."))


def touch(*wanted: str) -> None:
    """Say that what of them lies on this machine is needed now."""
    for name in wanted:
        _touch(place(name))


def _touch(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if is_set() and time.time() - path.stat().st_mtime > NOTED_SECONDS:
            os.utime(path)


def asked_for(name: str) -> Path:
    """Where it lies on this machine, fetched first where it does not (see `fetched`), and noted as asked for."""
    path = fetched(name)
    _touch(path)
    return path


def is_in_bucket(name: str) -> bool:
    """Whether the bucket holds what this machine has under this name."""
    path = place(name)
    try:
        if path.is_file():
            return bucket.sums(name)[0] == path.stat().st_size
    except bucket.Missing:
        return False
    found = listed(name)
    here = files_below(path)
    return found is not None and all(
        inner in here and here[inner].stat().st_size == entry.size for inner, entry in found.files.items()
    )


def evict() -> int:
    """Make room where more lies here than may: never what was asked for within the hour, nor what the bucket does not hold.
    Returns the bytes that are free now.
    """
    limit = bucket.there().cache_bytes if is_set() else 0
    if not limit:
        return 0
    found = []
    for name in _names_here():
        with contextlib.suppress(FileNotFoundError):
            found.append((place(name).stat().st_mtime, size_of([place(name)]), name))
    total, freed = sum(size for _, size, _ in found), 0
    for used_at, size, name in sorted(found):
        if total - freed <= limit or time.time() - used_at < HELD_SECONDS:
            break
        if is_in_bucket(name):
            remove_here(place(name))
            freed += size
            logger.info("%s is in the bucket alone now: nobody asked for it of late", name)
    return freed


def fill() -> Iterator[str]:
    """Copy to the bucket what lies here and not there, as before it was set; gives each name once it is done."""
    for name in _names_here() if is_set() else ():
        if not is_in_bucket(name):
            keep(name)
            yield name


def elsewhere() -> Iterator[str]:
    """What the bucket holds and this machine does not."""
    for folder in FOLDERS if is_set() else ():
        found = bucket.names(folder) if folder == "uploads" else names(folder)
        yield from (f"{folder}/{name}" for name in sorted(found) if not place(f"{folder}/{name}").exists())
