"""Near copies: candidates by shared bands of their MinHash signatures, each verified on its words in order.

Two rows are near copies when the longest common subsequence of their words, doubled, is at least `threshold` of all
their words: every fifth word exchanged gives 0.8, deleted 0.89, added 0.91. Up to SURE the shared words must
also carry WEIGHT × `threshold` of the weight, each word weighing as much as it is rare (inverse document frequency), so that
texts of one template that differ in what matters stay apart. A long question counts by itself, too. The likeliest pairs
come first; a pair of rows that were refused PATIENCE times each is not compared any more, which bounds the time.
Memory: 160 bytes a row for signatures; words lie in a file.
"""

from __future__ import annotations

import math
import os
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from datasets_app.curation.dedupe import BANDS, PERMUTATIONS, QUESTION_WORDS, Sketch, Words, features

PARTNERS = 24
PAIRS_AT_ONCE = 1 << 16
SURE = 0.95
WEIGHT = 0.85
LONG = 2000
SHORT, STRICTER = 20, 0.6
CHAIN = 12
PATIENCE = 24
_COUNTED = 1 << 20
_MARKED = 1 << 28
Pairs = NDArray[np.int64]


class Clusters:
    """Union-find over rows 0…n-1; the least row names its cluster. `sizes` holds at its place how many rows that has."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))
        self.sizes = array("l", [1]) * count

    def find(self, row: int) -> int:
        while self.parent[row] != row:
            self.parent[row] = self.parent[self.parent[row]]
            row = self.parent[row]
        return row

    def join(self, left: int, right: int) -> bool:
        """Put two rows together. False when they were already."""
        first, second = sorted((self.find(left), self.find(right)))
        if first == second:
            return False
        self.parent[second] = first
        self.sizes[first] += self.sizes[second]
        return True

    def labels(self) -> list[int]:
        return [self.find(row) for row in range(len(self.parent))]


class Sketches:
    """The sketches of all rows, in the order in which they were added: signatures in memory, words in a file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._signatures = bytearray()
        self._ends, self._asked = array("q", [0]), array("q")
        self._seen_in = np.zeros(_COUNTED, dtype=np.uint32)

    def __enter__(self) -> Sketches:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _at: TracebackType | None) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def add(self, row: Sketch) -> None:
        """The next row."""
        self._file.write(row.words.tobytes())
        self._signatures += row.signature.tobytes()
        self._ends.append(self._ends[-1] + len(row.words))
        self._asked.append(row.asked)
        self._seen_in[np.unique(row.words & np.uint32(_COUNTED - 1))] += 1

    def flush(self) -> None:
        """After the last row: what follows reads the file."""
        self._file.flush()

    def signatures(self) -> NDArray[np.uint8]:
        """(rows, PERMUTATIONS) uint8."""
        return np.frombuffer(self._signatures, dtype=np.uint8).reshape(-1, PERMUTATIONS)

    def words(self, row: int) -> tuple[Words, Words]:
        """The words of a row's questions, and all its words."""
        start, end = self._ends[row], self._ends[row + 1]
        whole = np.frombuffer(os.pread(self._file.fileno(), 4 * (end - start), 4 * start), dtype=np.uint32)
        return whole[: self._asked[row]], whole

    def weight(self, word: int) -> float:
        """log(1 + rows / rows with the word); words share a counter with one in a million others."""
        return math.log1p(len(self) / max(1, int(self._seen_in[word & (_COUNTED - 1)])))


def common(left: Sequence[int], right: Sequence[int]) -> int:
    """Length of the longest common subsequence, by bits (Hyyrö 2004)."""
    places: dict[int, int] = {}
    for place, word in enumerate(left):
        places[word] = places.get(word, 0) | 1 << place
    whole = (1 << len(left)) - 1
    rest = whole
    for word in right:
        found = rest & places.get(word, 0)
        if found:
            rest = ((rest + found) | (rest - found)) & whole
    return len(left) - rest.bit_count()


def likeness(left: Words, right: Words) -> float:
    """Words in common order, of both texts, over all words: 0 to 1. Of texts over LONG words, what their triples of
    neighbours say about it: with a share s of the words untouched, about s³ of the triples are."""
    total = len(left) + len(right)
    if not total:
        return 0.0
    if max(len(left), len(right)) <= LONG:
        return 2 * common(left.tolist(), right.tolist()) / total
    one, other = (Counter(zip(*(each[at:].tolist() for at in range(3)), strict=False)) for each in (left, right))
    return float(np.cbrt(2 * (one & other).total() / max(1, one.total() + other.total())))


class NearCopies:
    """Finds the near copies among sketched rows."""

    def __init__(self, sketches: Sketches, *, threshold: float) -> None:
        self.sketches, self.threshold = sketches, threshold
        intact = threshold + threshold**2
        self.least_shared = max(0.1, intact / (4 - intact) - 0.2)  # of the signature: what to expect, less five sigma

    def join(self, clusters: Clusters, alike: Clusters) -> None:
        """Put near copies together in `clusters`; in `alike` also the pairs that are none, but that the leak check would
        count, since they share most words and neighbours."""
        self.sketches.flush()
        signatures = self.sketches.signatures()
        refused = np.zeros(len(signatures), dtype=np.uint16)
        compared = _Marks()
        for band in range(BANDS):
            for pairs in proposed(signatures, band, np.array(alike.labels())):
                same = (signatures[pairs[:, 0]] == signatures[pairs[:, 1]]).mean(axis=1)
                hopeful = (same >= self.least_shared) & (refused[pairs].min(axis=1) < PATIENCE)
                new = pairs[hopeful][np.argsort(-same[hopeful], kind="stable")]
                for left, right in new[compared.add(new)].tolist():
                    if refused[left] >= PATIENCE and refused[right] >= PATIENCE:
                        continue
                    if alike.find(left) != alike.find(right) and not self._compare(left, right, clusters, alike):
                        refused[[left, right]] += 1

    def _compare(self, left: int, right: int, clusters: Clusters, alike: Clusters) -> bool:
        if self.are_copies(left, right) and self._may_join(left, right, clusters):
            clusters.join(left, right)
            return alike.join(left, right)
        return self._share_most(left, right) and alike.join(left, right)

    def _may_join(self, left: int, right: int, clusters: Clusters) -> bool:
        """Links of links end somewhere else: in clusters of more than CHAIN rows the first rows must be near, too."""
        first, second = clusters.find(left), clusters.find(right)
        small = clusters.sizes[first] + clusters.sizes[second] <= CHAIN
        return small or (first, second) == (left, right) or self.are_copies(first, second)

    def _share_most(self, left: int, right: int) -> bool:
        one, other = (features(self.sketches.words(row)[1]) for row in (left, right))
        shared = len(np.intersect1d(one, other, assume_unique=True))
        return shared >= self.threshold * (len(one) + len(other) - shared)

    def are_copies(self, left: int, right: int) -> bool:
        """Whether two rows are near copies of each other."""
        (asked, whole), (asked_too, whole_too) = self.sketches.words(left), self.sketches.words(right)
        if self._alike(whole, whole_too, sure=SURE):
            return True
        return min(len(asked), len(asked_too)) >= QUESTION_WORDS and self._alike(asked, asked_too, sure=2.0)

    def _alike(self, left: Words, right: Words, *, sure: float) -> bool:
        if 2 * min(len(left), len(right)) < self.threshold * (len(left) + len(right)):
            return False
        found = likeness(left, right)
        return found >= self._needed(left, right) and (
            found >= sure or self._weight_shared(left, right) >= WEIGHT * self.threshold
        )

    def _needed(self, left: Words, right: Words) -> float:
        """The threshold; of texts shorter than SHORT words the more, the shorter they are: each word says more there."""
        missing = max(0.0, 1 - (len(left) + len(right)) / (2 * SHORT))
        return self.threshold + (1 - self.threshold) * STRICTER * missing

    def _weight_shared(self, left: Words, right: Words) -> float:
        one, other = Counter(left.tolist()), Counter(right.tolist())
        weights = {word: self.sketches.weight(word) for word in one.keys() | other.keys()}
        shared = sum(weights[word] * count for word, count in (one & other).items())
        total = sum(weights[word] * count for each in (one, other) for word, count in each.items())
        return 2 * shared / total if total else 0.0


class _Marks:
    """Which pairs were compared, by one bit each. Two pairs in some hundred millions share a bit."""

    def __init__(self) -> None:
        self._bits = np.zeros(_MARKED >> 3, dtype=np.uint8)

    def add(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Mark pairs; true for those that were not marked before."""
        one, other = pairs.astype(np.uint64).T
        mixed = (one * np.uint64(0x9E3779B97F4A7C15) ^ other) * np.uint64(0xD6E8FEB86659FD93)
        place = (mixed >> np.uint64(20)) & np.uint64(_MARKED - 1)
        byte, bit = (place >> np.uint64(3)).astype(np.int64), np.uint8(1) << (place & np.uint64(7)).astype(np.uint8)
        new: NDArray[np.bool_] = self._bits[byte] & bit == 0
        np.bitwise_or.at(self._bits, byte, bit)
        return new


def proposed(signatures: NDArray[np.uint8], band: int, labels: NDArray[np.int64]) -> Iterator[Pairs]:
    """Pairs of rows that share a band and are not together yet, (n, 2) at a time.

    Rows of one band stand in the order of the next band, so that the likely ones are neighbours; each is paired with the
    PARTNERS after it: at most PARTNERS · rows pairs a band.
    """
    keys = np.ascontiguousarray(signatures).view(np.uint32)
    order = np.lexsort((keys[:, (band + 1) % BANDS], keys[:, band]))
    key = keys[order, band]
    for apart in range(1, min(PARTNERS, len(order) - 1) + 1):
        places = np.flatnonzero(key[apart:] == key[:-apart])
        if not len(places):
            return
        left, right = order[places], order[places + apart]
        new = labels[left] != labels[right]
        pairs = np.sort(np.stack([left[new], right[new]], axis=1), axis=1)
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            yield pairs[start : start + PAIRS_AT_ONCE]
