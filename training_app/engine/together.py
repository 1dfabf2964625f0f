"""What the processes of one run do together, through torch's process group. Knows no training.

A process that is alone does each of these by itself. Numbers and objects travel over the CPU, gradients as torch likes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as group

from training_app.engine.machine import peak_memory_bytes
from training_app.engine.ranks import Ranks

T = TypeVar("T")
S = TypeVar("S")
# The others may have to wait while the leading one writes or answers. Whoever dies is no reason to wait: `torchrun` ends the
# others then.
PATIENCE = timedelta(days=1)


def join(ranks: Ranks, device: torch.device) -> torch.device:
    """Meet the other processes of the run; returns this one's own device."""
    if ranks.size == 1:
        return device
    if device.type == "cuda":
        device = torch.device("cuda", ranks.rank)
        torch.cuda.set_device(device)
    group.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    return device


def size() -> int:
    """How many processes the run has."""
    return int(group.get_world_size()) if group.is_initialized() else 1


def evenly(rows: int) -> int:
    """What the number of rows must be a multiple of, so that each process has its part where each computes `rows` at once."""
    return rows * size() if size() > 1 else 1


def leads() -> bool:
    """Whether this is the process that writes."""
    return size() == 1 or group.get_rank() == 0


def wait() -> None:
    """Until all are here."""
    gathered(None)


@contextmanager
def in_turn() -> Iterator[None]:
    """The leading process first, then the others: for what one writes and all read."""
    if not leads():
        wait()
    yield
    if leads():
        wait()


def any_of(wish: bool) -> bool:
    """Whether one of them wishes it."""
    return bool(summed([float(wish)])[0])


def summed(values: Sequence[float]) -> list[float]:
    """The sums over all processes."""
    if size() == 1:
        return list(values)
    total = torch.tensor(values, dtype=torch.float64)
    group.all_reduce(total)
    found: list[float] = total.tolist()
    return found


def memory_of_others(device: torch.device) -> int:
    """Bytes that the others held at their peaks where all take from one memory; on GPUs each has its own."""
    mine = 0 if leads() or device.type == "cuda" else peak_memory_bytes(device)
    return int(summed([mine])[0])


def gathered(mine: T) -> list[T]:
    """What each process has, by its number."""
    if size() == 1:
        return [mine]
    found: list[Any] = [None] * size()
    group.all_gather_object(found, mine)
    return found


def shared_out(items: Sequence[S], work: Callable[[Sequence[S]], Sequence[T]]) -> list[T]:
    """`work` on all items, of which each process takes its part; all have the whole result, in the order of the items."""
    if size() == 1:
        return list(work(items))
    parts = gathered(list(work(items[group.get_rank() :: size()])))
    found: list[Any] = [None] * len(items)
    for rank, part in enumerate(parts):
        found[rank :: size()] = part
    return found
