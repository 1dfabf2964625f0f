"""Batches of rows of similar length, in an order that depends on seed and epoch alone. Knows no model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import torch
from torch.utils.data import Sampler

# Rows are sorted by length within pools of this many batches. With 16, chats of mixed length were padded by 8 %, with 64
# by 3 %; rows of one length are still neighbours by chance, and the order of the batches is new every epoch.
POOL_BATCHES = 64
# The place of the batch with the longest row; where there is only one batch, it is that.
LONGEST_BATCH = 1


class LengthPools(Sampler[int]):  # type: ignore[misc]
    """Shuffles rows, sorts pools of them by length, cuts batches and shuffles these.

    The generator is seeded afresh for each epoch, so a resumed run sees the order that the killed one had. The batch
    with the longest row is the second of all: where memory does not suffice, that shows at once and not hours later, and
    the first step, which everybody waits for, is an ordinary one.
    With `shared` above 1 the rows end at a multiple of it, filled up with the number behind the last row's: so many rows
    are computed at once by all processes together, and each must have its part.
    """

    def __init__(self, lengths: Sequence[int], *, batch_size: int, seed: int, shared: int = 1) -> None:
        self._lengths = lengths
        self._batch_size = batch_size
        self._seed = seed
        self._shared = shared
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order the next iteration gives."""
        self._epoch = epoch

    def __len__(self) -> int:
        return filled_up(len(self._lengths), self._shared)

    def __iter__(self) -> Iterator[int]:
        yield from self._rows()
        yield from [len(self._lengths)] * (len(self) - len(self._lengths))

    def first(self, count: int) -> list[int]:
        """The first rows of the epoch, as many as there are up to `count`."""
        return list(islice(self._rows(), count))

    def _rows(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self._epoch)
        shuffled = torch.randperm(len(self._lengths), generator=generator).tolist()
        whole = len(shuffled) - len(shuffled) % self._batch_size
        if self._epoch == 0 and whole:
            self._bring_in_longest(shuffled, whole)
        batches = self._batches(shuffled[:whole])
        order = torch.randperm(len(batches), generator=generator).tolist()
        if batches and self._epoch == 0:
            longest = max(order, key=lambda index: max(self._lengths[row] for row in batches[index]))
            order.remove(longest)
            order.insert(LONGEST_BATCH, longest)
        for index in order:
            yield from batches[index]
        # The incomplete batch stays last, or every batch after it would straddle two lengths.
        yield from shuffled[whole:]

    def _bring_in_longest(self, shuffled: list[int], whole: int) -> None:
        """The longest row must not wait in the incomplete batch, which comes last."""
        place = max(range(len(shuffled)), key=lambda index: self._lengths[shuffled[index]])
        if place >= whole:
            shuffled[0], shuffled[place] = shuffled[place], shuffled[0]

    def _batches(self, shuffled: list[int]) -> list[list[int]]:
        pool_size = POOL_BATCHES * self._batch_size
        batches = []
        for start in range(0, len(shuffled), pool_size):
            pool = sorted(shuffled[start : start + pool_size], key=lambda row: self._lengths[row])
            batches += [pool[i : i + self._batch_size] for i in range(0, len(pool), self._batch_size)]
        return batches


class AsTheyLie(Sampler[int]):  # type: ignore[misc]
    """Rows in their order, filled up to a multiple of `shared` as above."""

    def __init__(self, count: int, *, shared: int) -> None:
        self._count = count
        self._shared = shared

    def __len__(self) -> int:
        return filled_up(self._count, self._shared)

    def __iter__(self) -> Iterator[int]:
        return (min(row, self._count) for row in range(len(self)))


def filled_up(count: int, shared: int) -> int:
    """The next multiple of `shared`."""
    return -(-count // shared) * shared


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
