"""Batches of rows of similar length, in an order that depends on seed and epoch alone. Knows no model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Sampler

# Rows are sorted by length within pools of this many batches: little padding, yet new neighbours every epoch.
POOL_BATCHES = 16


class LengthPools(Sampler[int]):  # type: ignore[misc]
    """Shuffles rows, sorts pools of them by length, cuts batches and shuffles these.

    The generator is seeded afresh for each epoch, so a resumed run sees the order that the killed one had.
    """

    def __init__(self, lengths: Sequence[int], *, batch_size: int, seed: int) -> None:
        self._lengths = lengths
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order the next iteration gives."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self._epoch)
        shuffled = torch.randperm(len(self._lengths), generator=generator).tolist()
        whole = len(shuffled) - len(shuffled) % self._batch_size
        batches = self._batches(shuffled[:whole])
        for index in torch.randperm(len(batches), generator=generator).tolist():
            yield from batches[index]
        # The incomplete batch stays last, or every batch after it would straddle two lengths.
        yield from shuffled[whole:]

    def _batches(self, shuffled: list[int]) -> list[list[int]]:
        pool_size = POOL_BATCHES * self._batch_size
        batches = []
        for start in range(0, len(shuffled), pool_size):
            pool = sorted(shuffled[start : start + pool_size], key=lambda row: self._lengths[row])
            batches += [pool[i : i + self._batch_size] for i in range(0, len(pool), self._batch_size)]
        return batches


def batches_by_tokens(lengths: Sequence[int], *, token_budget: int, most: int) -> list[list[int]]:
    """Indices in batches, longest first, each at most `most` rows and about `token_budget` padded tokens."""
    batches: list[list[int]] = []
    width = 0
    for index in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if not batches or len(batches[-1]) >= most or (len(batches[-1]) + 1) * width > token_budget:
            batches.append([])
            width = max(1, lengths[index])
        batches[-1].append(index)
    return batches
