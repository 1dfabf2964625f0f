"""Files that a killed process left half-made under STUDIO_HOME: copies, uploads and scratch that nobody finishes."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)


def _candidates() -> Iterator[Path]:
    home = Path(settings.STUDIO_HOME)
    yield from (home / "artifacts").glob(".staging-*")
    yield from home.glob("*/.incoming-*")
    yield from (home / "parts").glob("*/.incoming-*")
    yield from (home / "runs").glob("*/checkpoints/.incoming-*")
    yield from Path(settings.FILE_UPLOAD_TEMP_DIR).glob("tmp*.upload*")  # Django's name for a file of a form
    yield from (home / "work").glob("*")


def _touched_at(path: Path) -> float:
    """When anything in it changed last."""
    return max(each.lstat().st_mtime for each in [path, *path.rglob("*")])


def _remove(path: Path) -> None:
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    for folder in [path, *(each for each in path.rglob("*") if each.is_dir() and not each.is_symlink())]:
        folder.chmod(0o700)  # a copy for the store is read-only already
    shutil.rmtree(path)


def sweep(*, older_than: float) -> int:
    """Remove what nobody has touched for that many seconds; 0 is for a home that nobody else works in.

    Returns how many. What vanishes or resists meanwhile is left to the next sweep.
    """
    removed, before = 0, time.time() - older_than
    for path in _candidates():
        try:
            if _touched_at(path) <= before:
                _remove(path)
                removed += 1
        except OSError as error:
            logger.info("a leftover stays for now: %s", error)
    if removed:
        logger.info("%s leftovers of killed processes were removed", removed)
    return removed
