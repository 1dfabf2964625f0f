"""Signs of life of the studio's processes: one small file each under STUDIO_HOME/heartbeats."""

from __future__ import annotations

import time
from pathlib import Path

from django.conf import settings

FRESH_SECONDS = 15.0


def _path(name: str) -> Path:
    return Path(settings.STUDIO_HOME) / "heartbeats" / name


def beat(name: str) -> None:
    """Say that `name` is alive now."""
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def forget() -> None:
    """No sign of life counts any more; for a start at which every process is new."""
    for path in _path("").glob("*"):
        path.unlink(missing_ok=True)


def age(name: str) -> float | None:
    """Seconds since `name` said so; None where it never did."""
    try:
        return time.time() - _path(name).stat().st_mtime
    except FileNotFoundError:
        return None


def is_alive(name: str, *, within: float = FRESH_SECONDS) -> bool:
    """Whether `name` said so within the last seconds."""
    seconds = age(name)
    return seconds is not None and seconds < within
