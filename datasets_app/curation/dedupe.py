"""Copies: exact ones by the hash of tidied text, near ones by MinHash candidates that are verified. Knows no files.

Near copies are found in two strides: 128-permutation MinHash over character five-grams, in 32 bands of 4, proposes
pairs (a pair of Jaccard similarity 0.7 is missed with probability (1 - 0.7^4)^32 = 0.0002); each proposal is then
verified with the true similarity of the two texts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

GRAM = 5
BANDS, ROWS_A_BAND = 32, 4
PARTNERS = 30
PERMUTATIONS = BANDS * ROWS_A_BAND
_WORDS = re.compile(r"\w+", re.UNICODE)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_generator = np.random.default_rng(20261)
_FACTORS = _generator.integers(1, 2**63, size=PERMUTATIONS, dtype=np.uint64) | np.uint64(1)
_SHIFTS = _generator.integers(0, 2**63, size=PERMUTATIONS, dtype=np.uint64)


def plain(text: str) -> str:
    """What two copies share: lower-case words, one space between."""
    return " ".join(_WORDS.findall(text.lower()))


def exact_key(text: str) -> bytes:
    """16 bytes that equal texts share."""
    return hashlib.blake2b(plain(text).encode("utf-8", "backslashreplace"), digest_size=16).digest()


def grams(text: str) -> NDArray[np.uint64]:
    """Hashes of the distinct character five-grams of the plain text, sorted. Short texts have at least one."""
    codes = np.frombuffer(plain(text).ljust(GRAM).encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    count = len(codes) - GRAM + 1
    hashed = np.zeros(count, dtype=np.uint64)
    for offset in range(GRAM):
        hashed = hashed * _MIX + codes[offset : offset + count]
    hashed ^= hashed >> np.uint64(31)
    return np.unique(hashed * _MIX)


def signature(values: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """MinHash signature, (PERMUTATIONS,) uint32: the least of `factor × value + shift` modulo 2^64, upper half."""
    best = np.full(PERMUTATIONS, np.iinfo(np.uint64).max, dtype=np.uint64)
    for start in range(0, len(values), 512):
        part = values[start : start + 512, None] * _FACTORS + _SHIFTS
        np.minimum(best, part.min(axis=0), out=best)
    return (best >> np.uint64(32)).astype(np.uint32)


def jaccard(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> float:
    """Shared members over all members of two sorted sets."""
    shared = len(np.intersect1d(left, right, assume_unique=True))
    return shared / max(1, len(left) + len(right) - shared)


class Clusters:
    """Union-find over rows 0…n-1; the least row names its cluster."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))

    def find(self, row: int) -> int:
        while self.parent[row] != row:
            self.parent[row] = self.parent[self.parent[row]]
            row = self.parent[row]
        return row

    def join(self, left: int, right: int) -> bool:
        """Put two rows together. False when they were already."""
        first, second = sorted((self.find(left), self.find(right)))
        self.parent[second] = first
        return first != second

    def labels(self) -> list[int]:
        return [self.find(row) for row in range(len(self.parent))]


def buckets(signatures: NDArray[np.uint32]) -> Iterator[list[int]]:
    """Rows that share a band, two or more; the same rows may come more than once."""
    for band in range(BANDS):
        columns = np.ascontiguousarray(signatures[:, band * ROWS_A_BAND : (band + 1) * ROWS_A_BAND])
        keys = columns.view(np.dtype((np.void, columns.dtype.itemsize * ROWS_A_BAND))).ravel()
        order = np.argsort(keys, kind="stable")
        ends = np.flatnonzero(keys[order][1:] != keys[order][:-1]) + 1
        for rows in np.split(order, ends):
            if len(rows) > 1:
                yield rows.tolist()


def cluster(
    signatures: NDArray[np.uint32],
    *,
    threshold: float,
    texts_of: Callable[[Sequence[int]], Iterable[tuple[int, str]]],
    clusters: Clusters,
) -> int:
    """Join rows whose true similarity reaches `threshold`. Returns how many pairs were joined.

    `texts_of` yields (row, text) for the rows it is given: only rows that were proposed are read again. In a bucket each
    row is compared with the PARTNERS before it that are not in its cluster yet: at most PARTNERS · n comparisons.
    """
    proposed = {tuple(rows) for rows in buckets(signatures)}
    sets = {row: grams(text) for row, text in texts_of(sorted({row for rows in proposed for row in rows}))}
    unlike: set[tuple[int, int]] = set()
    joined = 0
    for rows in sorted(proposed):
        for place, right in enumerate(rows):
            for left in rows[max(0, place - PARTNERS) : place]:
                if (left, right) in unlike or clusters.find(left) == clusters.find(right):
                    continue
                if jaccard(sets[left], sets[right]) >= threshold:
                    joined += clusters.join(left, right)
                else:
                    unlike.add((left, right))
    return joined
