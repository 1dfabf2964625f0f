"""What the machine has and what this process took of it: memory and time. Knows no model."""

from __future__ import annotations

import os
import time
from pathlib import Path

import torch

STATUS = Path("/proc/self/status")
MEMINFO = Path("/proc/meminfo")
CONTAINER = Path("/sys/fs/cgroup/memory.max")


def memory_bytes(device: torch.device) -> tuple[int, int]:
    """All the memory that a run on this device may take, and what of it is free now."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return int(total), int(free)
    total, free = _line(MEMINFO, "MemTotal"), _line(MEMINFO, "MemAvailable")
    limit = CONTAINER.read_text().strip() if CONTAINER.exists() else ""
    return (min(total, int(limit)), min(free, int(limit))) if limit.isdigit() else (total, free)


def peak_memory_bytes(device: torch.device) -> int:
    """The most that this process held at once: on a GPU the memory reserved there, else its resident memory."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_reserved(device))
    return _line(STATUS, "VmHWM")


def held_bytes(device: torch.device) -> int:
    """What this process holds now, in the terms of `peak_memory_bytes`."""
    if device.type == "cuda":
        return int(torch.cuda.memory_reserved(device))
    return _line(STATUS, "VmRSS")


def seconds_of_process() -> float:
    """How long ago this process began, its imports included."""
    ticks = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def _line(path: Path, name: str) -> int:
    """A figure of a file of lines such as `VmHWM:  1234 kB`, in bytes."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0
