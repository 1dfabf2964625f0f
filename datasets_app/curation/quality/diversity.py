"""How varied texts are: different words and pairs of words, lengths, texts that are said again and again.

Memory does not grow with the words: they are counted under 2^20 numbers. A version's number of different words grows
with its size, so what is told is what a draw of SAMPLE words holds, which can be compared between versions.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets_app.curation.dedupe import Words, exact_key

SAMPLE = 5_000
_COUNTERS = 1 << 20
_MIX = np.uint64(0x9E3779B97F4A7C15)
MOST_KNOWN = 100_000
QUANTILES = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


def expected_distinct(counts: NDArray[np.int64], draw: int) -> float:
    """How many different things a draw without putting back holds, given how often each is there: Σ 1 - C(N-c, n) /
    C(N, n), rarefaction (Hurlbert 1971). `draw` is at most the sum."""
    total = int(counts.sum())
    sizes, often = np.unique(counts[counts > 0], return_counts=True)

    def log_ways(things: int) -> float:
        if things < draw:
            return -math.inf
        return math.lgamma(things + 1) - math.lgamma(things - draw + 1)

    whole = log_ways(total)
    missed = (math.exp(log_ways(total - int(size)) - whole) for size in sizes)
    return math.fsum(int(count) * (1 - miss) for count, miss in zip(often, missed, strict=True))


class Distinct:
    """Distinct-1 and distinct-2 (Li et al. 2016, different n-grams over all n-grams) of a draw of SAMPLE n-grams."""

    def __init__(self) -> None:
        self._counts = np.zeros((2, _COUNTERS), dtype=np.int64)

    def add(self, texts: Sequence[Words]) -> None:
        """Texts as numbers of words; pairs do not reach from one text into the next."""
        single = [text.astype(np.uint64) for text in texts]
        for row, grams in enumerate((single, [_pairs(text) for text in single])):
            if grams:
                mixed = (np.concatenate(grams) * _MIX) >> np.uint64(44)
                self._counts[row] += np.bincount(mixed.astype(np.int64), minlength=_COUNTERS)

    def shares(self) -> dict[str, float]:
        """`{one, two}`, 0 to 1; the nearer to 1, the less is said twice. 0 without words."""
        found = {}
        for name, counts in zip(("one", "two"), self._counts, strict=True):
            draw = min(SAMPLE, int(counts.sum()))
            found[name] = round(expected_distinct(counts, draw) / draw, 4) if draw else 0.0
        return found


def _pairs(text: NDArray[np.uint64]) -> NDArray[np.uint64]:
    pairs: NDArray[np.uint64] = (text[:-1] << np.uint64(32)) | text[1:]
    return pairs


class Lengths:
    """Lengths in words; four bytes a text."""

    def __init__(self) -> None:
        self._lengths = array("I")

    def add(self, length: int) -> None:
        self._lengths.append(length)

    def as_json(self) -> dict[str, float]:
        """The total, QUANTILES and the most; empty without texts."""
        if not self._lengths:
            return {}
        lengths = np.frombuffer(self._lengths, dtype=np.uint32)
        cuts = np.quantile(lengths, list(QUANTILES.values()), method="inverted_cdf")
        found = dict(zip(QUANTILES, map(int, cuts), strict=True))
        return {"total": int(lengths.sum(dtype=np.int64)), **found, "most": int(lengths.max())}


class Commonest:
    """The text that comes most often, by what two copies share, and where it comes first. Of more than MOST_KNOWN
    different ones those that came once so far are forgotten now and then (after lossy counting, Manku and Motwani 2002):
    the count may be a little low, never high."""

    def __init__(self) -> None:
        self._counts: Counter[bytes] = Counter()
        self._first: dict[bytes, tuple[str, int]] = {}
        self._texts = 0

    def add(self, text: str, place: tuple[str, int]) -> None:
        """A text and its (file, row)."""
        self._texts += 1
        key = exact_key(text)
        self._counts[key] += 1
        self._first.setdefault(key, place)
        if len(self._counts) > MOST_KNOWN:
            self._counts = Counter({key: count for key, count in self._counts.items() if count > 1})
            self._first = {key: self._first[key] for key in self._counts}

    def as_json(self) -> dict[str, Any]:
        """`{rows, share, file, row}`; empty where none comes twice."""
        if not self._counts:
            return {}
        ((key, rows),) = self._counts.most_common(1)
        file, row = self._first[key]
        return {"rows": rows, "share": round(rows / self._texts, 4), "file": file, "row": row} if rows > 1 else {}
