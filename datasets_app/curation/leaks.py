"""The leak check, independent of the duplicate step: other features, another algorithm, no chance.

Texts are sets of words and word pairs. A prefix filter finds every pair of texts whose Jaccard similarity reaches the
threshold: two such sets share one of their `n - ceil(t·n) + 1` first members in any order that both keep (Chaudhuri et
al. 2006); here the rarest among the held-out texts come first. What the filter proposes is compared member by member,
unless 512 bits of each set already differ in more places than their similarity allows.
Memory: held-out sets are taken BLOCK_MEMBERS members at a time, and the training sets stream past each block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets_app.curation.membersets import Members, MemberSets, Places, Some

BLOCK_MEMBERS = 1 << 24
BATCH_MEMBERS = 1 << 18
PIECE_MEMBERS = 1 << 20
PAIRS_AT_ONCE = 1 << 20
BITS = 512
_COUNTERS = 1 << 20
Batches = Callable[[int], Iterator[Some]]


def _low(values: Members, many: int) -> NDArray[np.int64]:
    """Each as a place among `many`, a power of two."""
    return (values & np.uint64(many - 1)).astype(np.int64)


class _Batch:
    """Some texts as sets: `values` of all, one after the other."""

    def __init__(self, some: Some, *, threshold: float) -> None:
        self.places, self.sizes, self.values = some
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)])
        self._needed = self.sizes - np.ceil(threshold * self.sizes - 1e-9).astype(np.int64) + 1
        self.bits = np.zeros((len(self.sizes), BITS // 64), dtype=np.uint64)
        for first, last, values in self._pieces():
            bits = np.zeros((last - first, BITS), dtype=bool)
            bits[np.repeat(np.arange(last - first), self.sizes[first:last]), _low(values, BITS)] = True
            self.bits[first:last] = np.packbits(bits, axis=1).view(np.uint64)

    def _pieces(self) -> Iterator[tuple[int, int, Members]]:
        """The sets `first` to `last` - 1, some at a time, and their members: what is made of them for a moment takes many
        times the memory of the members themselves."""
        first = 0
        while first < len(self.sizes):
            last = int(np.searchsorted(self.starts, self.starts[first] + PIECE_MEMBERS, "right")) - 1
            last = max(first + 1, last)
            yield first, last, self.values[self.starts[first] : self.starts[last]]
            first = last

    def counts(self) -> NDArray[np.uint32]:
        """How many sets have each member; members share a counter with one in a million others."""
        found = np.zeros(_COUNTERS, dtype=np.uint32)
        for _first, _last, values in self._pieces():
            found += np.bincount(_low(values, _COUNTERS), minlength=_COUNTERS).astype(np.uint32)
        return found

    def prefixes(self, counts: NDArray[np.uint32]) -> tuple[Members, Places]:
        """The first members of each set, the rarest by `counts` first, and whose each is."""
        found: list[Members] = [np.empty(0, dtype=np.uint64)]
        whose: list[Places] = [np.empty(0, dtype=np.int64)]
        for first, last, values in self._pieces():
            sizes = self.sizes[first:last]
            owners = np.repeat(np.arange(first, last), sizes)
            order = np.lexsort((values, counts[_low(values, _COUNTERS)], owners))
            rank = np.arange(len(order)) - np.repeat(self.starts[first:last] - self.starts[first], sizes)
            chosen = order[rank < np.repeat(self._needed[first:last], sizes)]
            found.append(values[chosen])
            whose.append(owners[chosen])
        return np.concatenate(found), np.concatenate(whose)

    def set_of(self, owner: int) -> Members:
        return self.values[self.starts[owner] : self.starts[owner + 1]]


class _Block:
    """Held-out texts, indexed by the first members of each."""

    def __init__(self, batch: _Batch, *, threshold: float) -> None:
        self.batch, self.threshold = batch, threshold
        self.counts = batch.counts()
        keys, owners = batch.prefixes(self.counts)
        order = np.argsort(keys, kind="stable")
        self.keys, self.owners = keys[order], owners[order]

    def proposed(self, other: _Batch) -> Iterator[tuple[Places, Places]]:
        """Owners in `other` and in the block whose sets share a first member and may be alike."""
        keys, owners = other.prefixes(self.counts)
        first = np.searchsorted(self.keys, keys, "left")
        many = np.searchsorted(self.keys, keys, "right") - first
        owners, first, many = owners[many > 0], first[many > 0], many[many > 0]
        ends = np.cumsum(many)
        start = 0
        while start < len(many):
            before = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, before + PAIRS_AT_ONCE, "right")))
            part = many[start:stop]
            within = np.arange(part.sum()) - np.repeat(np.cumsum(part) - part, part)
            right = self.owners[np.repeat(first[start:stop], part) + within]
            left = np.repeat(owners[start:stop], part)
            once = np.unique(left * len(self.batch.sizes) + right)
            yield self._possible(other, once // len(self.batch.sizes), once % len(self.batch.sizes))
            start = stop

    def _possible(self, other: _Batch, left: Places, right: Places) -> tuple[Places, Places]:
        """Those whose sizes and bits allow the similarity: each differing bit is at least one differing member."""
        one, two = other.sizes[left], self.batch.sizes[right]
        fits = np.minimum(one, two) >= self.threshold * np.maximum(one, two) - 1e-9
        left, right, one, two = left[fits], right[fits], one[fits], two[fits]
        differ = np.bitwise_count(other.bits[left] ^ self.batch.bits[right]).sum(axis=1, dtype=np.int64)
        allowed = (1 - self.threshold) / (1 + self.threshold) * (one + two) + 1e-6
        return left[differ <= allowed], right[differ <= allowed]

    def alike(self, left: Members, right: Members) -> bool:
        """Whether the similarity of two sets reaches the threshold."""
        shared = len(np.intersect1d(left, right, assume_unique=True))
        return shared >= self.threshold * (len(left) + len(right) - shared) - 1e-9


def copies(
    train: Batches,
    held_out: Batches,
    *,
    threshold: float,
    wanted: Callable[[Places, Places], NDArray[np.bool_]] | None = None,
) -> Iterator[tuple[int, int]]:
    """Every (train place, held-out place) whose sets are alike; `MemberSets.batches` gives the sets of either side.

    `wanted` says which of many pairs are worth comparing; it is asked anew as pairs come out.
    """
    for held in held_out(BLOCK_MEMBERS):
        block = _Block(_Batch(held, threshold=threshold), threshold=threshold)
        for some in train(BATCH_MEMBERS):
            batch = _Batch(some, threshold=threshold)
            for left, right in block.proposed(batch):
                yield from _verified(block, batch, left, right, wanted)
        del held, block  # the next one is not made beside it


def _verified(
    block: _Block,
    batch: _Batch,
    left: Places,
    right: Places,
    wanted: Callable[[Places, Places], NDArray[np.bool_]] | None,
) -> Iterator[tuple[int, int]]:
    step = 256  # asked anew so often: much of what follows is known once some pairs have come out
    for start in range(0, len(left), step):
        one, two = left[start : start + step], right[start : start + step]
        if wanted is not None:
            chosen = wanted(batch.places[one], block.batch.places[two])
            one, two = one[chosen], two[chosen]
        for each, other in zip(one.tolist(), two.tolist(), strict=True):
            if block.alike(batch.set_of(each), block.batch.set_of(other)):
                yield int(batch.places[each]), int(block.batch.places[other])


def leaking(train: MemberSets, held_out: MemberSets, *, threshold: float) -> dict[int, int]:
    """The held-out places that have an exact or near copy in train, each with the first train place found."""
    found: dict[int, int] = {}

    def unknown(_train: Places, held: Places) -> NDArray[np.bool_]:
        return np.array([place not in found for place in held.tolist()], dtype=bool)

    for trained, held in copies(train.batches, held_out.batches, threshold=threshold, wanted=unknown):
        found.setdefault(held, trained)
    return found


@dataclass(frozen=True, slots=True)
class Leaks:
    """Of one held-out split: rows that leak, those among them that ask a question of train, and the likeness from which
    others count."""

    rows: int
    asked: int
    threshold: float


def sentence(leaks: int, rows: int, *, of: str, threshold: float, asked: int | None = None) -> str:
    """The number as people read it. `asked`: of these rows those that ask a question of train, where that was counted."""
    if not rows:
        return f"There are no {of} rows."
    having = "has" if leaks == 1 else "have"
    also = "" if asked is None else f", or the same question ({asked:,})"
    return f"{leaks:,} of {rows:,} {of} rows {having} a near-duplicate in train (alike by {threshold:g} or more){also}."
