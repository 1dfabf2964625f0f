"""How much memory a model will take, and how much an engine may still take. Sizes in bytes."""

from __future__ import annotations

import math
from pathlib import Path

import psutil
import torch
from safetensors import safe_open

from serving_app.engine.errors import EngineError

GIB = 2**30
# Control groups, as containers have them, in the second version and the first: the limit, the use, what it consists of.
GROUPS = (
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"),
)


def weights_size(folder: Path, dtype: torch.dtype) -> int:
    """Bytes of a folder's weights once they are numbers of this type; 0 where it holds no safetensors."""
    count = 0
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            shapes: list[list[int]] = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118
        count += sum(math.prod(shape) for shape in shapes)
    return count * int(dtype.itemsize)


def check_room(name: str, needed: int, *, limit: int | None) -> None:
    """Refuse a model that does not fit, instead of being killed for it. `limit` of the whole process, None: the machine's.

    Errors: EngineError with a sentence.
    """
    room = _room(limit)
    if needed > room:
        raise EngineError(
            f"'{name}' needs about {needed / GIB:.2f} GiB of memory, and this engine may take {max(0, room) / GIB:.2f} "
            "more. Take another model out of service, or give the engine more memory.",
            code="insufficient_memory",
        )


def check_growth(needed: int, *, limit: int | None) -> None:
    """Raise MemoryError where keys and values of requests would take more than there is. `limit` as above."""
    room = _room(limit)
    if needed > room:
        raise MemoryError(
            f"what is read and written would take {needed / GIB:.2f} GiB more, and this engine may take "
            f"{max(0, room) / GIB:.2f} more."
        )


def _room(limit: int | None) -> int:
    rooms = [psutil.virtual_memory().available]
    if limit is not None:
        rooms.append(limit - psutil.Process().memory_info().rss)
    for folder, most, used in GROUPS:
        if (folder / most).is_file() and (text := (folder / most).read_text().strip()).isdigit():
            rooms.append(int(text) - int((folder / used).read_text()) + _reclaimable(folder / "memory.stat"))
    return int(min(rooms))


def _reclaimable(stat: Path) -> int:
    """Files that were read lie in memory and count as used, until somebody needs the room."""
    lines = dict(line.split() for line in stat.read_text().splitlines()) if stat.is_file() else {}
    return int(lines.get("inactive_file", 0))
