"""What a child that reads uploads may take. Bounds for what goes wrong, far beyond what honest files of a size need."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from datasets_app.models import DatasetFile
from gptstudio.core import child
from gptstudio.core.disk import KEPT_FREE

MIB = 2**20
GIB = 2**30
# Seconds of processor a process may take, and more for each MiB of the uploads. Measured: a look at a file takes 0.04 a MiB,
# curation with people's names 8 of all its processes together (bench/curation_scale.py); archives unpack to many times their size.
LOOK = (600, 10)
WHOLE = (7200, 120)
# Address space is more than memory: what libraries map and never touch. Curation of 20,000 rows maps 2.9 GiB.
MAPPED = 4 * GIB
MOST_UNPACKED = 16 * GIB  # that archives may unpack to
CONTAINER = Path("/sys/fs/cgroup/memory.max")


def limits_for(files: Iterable[DatasetFile], *, seconds: tuple[int, int]) -> child.Limits:
    """Limits of each process of a run over these uploads, `LOOK` or `WHOLE` of them."""
    size = sum(file.bytes for file in files)
    free = shutil.disk_usage(settings.STUDIO_HOME).free
    first, each_mib = seconds
    return child.Limits(
        memory_bytes=settings.CHILD_MEMORY_BYTES or _memory() + MAPPED,
        cpu_seconds=first + each_mib * (size // MIB),
        file_bytes=min(max(MOST_UNPACKED, 4 * size), max(free - KEPT_FREE, KEPT_FREE)),
    )


def _memory() -> int:
    """Bytes of memory of this machine, or of its container."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = CONTAINER.read_text(encoding="ascii").strip() if CONTAINER.exists() else ""
    return min(machine, int(limit)) if limit.isdigit() else machine
