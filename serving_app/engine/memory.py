"""How much memory a model will take, and how much an engine may still take. Sizes in bytes."""

from __future__ import annotations

import math
from pathlib import Path

import psutil
import torch
from safetensors import safe_open

from serving_app.engine.errors import EngineError

GIB = 2**30
# Control groups, as containers have them: the limit and the use, in the second version and the first.
GROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
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


def _room(limit: int | None) -> int:
    rooms = [psutil.virtual_memory().available]
    if limit is not None:
        rooms.append(limit - psutil.Process().memory_info().rss)
    for most, used in GROUPS:
        if most.is_file() and used.is_file() and (text := most.read_text().strip()).isdigit():
            rooms.append(int(text) - int(used.read_text()))
    return int(min(rooms))
