"""How sure a difference between two systems on the same rows is. Knows numbers alone: no text, no model.

The interval is a paired bootstrap (Efron and Tibshirani 1993; for corpus scores Koehn 2004): rows are drawn again with
replacement, both systems on the same draw, and each score is computed anew from sums. Its percentiles are taken a
little further out as in Hesterberg (2015, section 3.3), since plain percentiles are too narrow on few rows: the level
is that of Student's t with n - 1 degrees of freedom, times the square root of n / (n - 1).

Rows that belong together (one person's, one text's, near-copies of each other) are drawn together: a dozen wordings of one
question say little more than one of them. What is said here of rows then holds for groups of them.

Where fewer than six differ, no arrangement of signs is rarer than one in twenty (2 · 0.5⁵ > 0.05), so nothing is said to
differ, and the interval is taken as far as no difference.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_app.engine.sums import LOWER_IS_BETTER, SCORES, Numbers

CONFIDENCE = 0.95
RESAMPLES = 4000
FEWEST_DIFFERENT = 6
# Weights of resampled rows are made for this many (resample, row) pairs at a time.
PAIRS_AT_ONCE = 4_000_000
Places = NDArray[np.int64]
BETTER, WORSE, NO_DIFFERENCE = "better", "worse", "no_difference"


@dataclass(frozen=True, slots=True)
class Compared:
    """One score of both systems. `difference`, `low` and `high` are the second minus the first, in the score's units.

    `rows` counts toward the score, `differing` of them have other statistics; they are of `groups` groups. `too_few`: fewer
    than six groups differ. `said` is better, worse or no_difference.
    """

    base: float
    tuned: float
    difference: float
    low: float
    high: float
    rows: int
    differing: int
    groups: int
    too_few: bool
    said: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(
    base: Mapping[str, Numbers],
    tuned: Mapping[str, Numbers],
    *,
    seed: int,
    resamples: int = RESAMPLES,
    groups: Sequence[Hashable] | None = None,
) -> dict[str, Compared]:
    """Both systems' per-row statistics (rows × columns) by metric, compared on the same seeded resamples.

    `groups` says which rows belong together; without it each stands for itself.
    """
    names = [name for name in base if len(base[name])]
    if not names:
        return {}
    together = _places(groups if groups is not None else range(len(base[names[0]])))
    places: dict[str, tuple[int, int]] = {}
    at = 0
    for name in names:
        places[name] = (at, base[name].shape[1])
        at += base[name].shape[1]
    first = _added(np.concatenate([base[name] for name in names], axis=1), together)
    second = _added(np.concatenate([tuned[name] for name in names], axis=1), together)
    drawn: dict[str, list[Numbers]] = {name: [] for name in names}
    for weights in _resamples(len(first), seed=seed, count=resamples):
        before, after = weights @ first, weights @ second
        for name, (start, width) in places.items():
            part = slice(start, start + width)
            drawn[name].append(SCORES[name](after[:, part]) - SCORES[name](before[:, part]))
    return {
        name: _compared(name, np.asarray(base[name]), np.asarray(tuned[name]), np.concatenate(drawn[name]), together)
        for name in names
    }


def _places(groups: Sequence[Hashable]) -> Places:
    """The number of each row's group, counted from 0 as they come."""
    numbers: dict[Hashable, int] = {}
    return np.asarray([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.int64)


def _added(values: Numbers, together: Places) -> Numbers:
    """The sums of each group's rows: scores are made of sums, so nothing else is needed."""
    found = np.zeros((int(together.max()) + 1, values.shape[1]))
    np.add.at(found, together, values)
    return found


def _resamples(rows: int, *, seed: int, count: int) -> Iterator[Numbers]:
    """How often each row was drawn, resamples × rows, in pieces."""
    generator = np.random.default_rng(seed)
    at_once = max(1, PAIRS_AT_ONCE // rows)
    for begin in range(0, count, at_once):
        size = min(at_once, count - begin)
        places = generator.integers(rows, size=(size, rows), dtype=np.int32)
        places += np.arange(size, dtype=np.int32)[:, None] * rows
        counted = np.bincount(places.ravel(), minlength=size * rows)
        yield counted.reshape(size, rows).astype(np.float64)


def _compared(name: str, base: Numbers, tuned: Numbers, drawn: Numbers, together: Places) -> Compared:
    score = SCORES[name]
    one, other = float(score(base.sum(axis=0))), float(score(tuned.sum(axis=0)))
    counted = (base != 0).any(axis=1) | (tuned != 0).any(axis=1)
    differing = (base != tuned).any(axis=1)
    groups, apart = (len(np.unique(together[rows])) for rows in (counted, differing))
    tail = _tail(groups)
    low, high = (float(end) for end in np.nanquantile(drawn, [tail, 1.0 - tail]))
    too_few = apart < FEWEST_DIFFERENT
    if too_few:
        low, high = min(low, 0.0), max(high, 0.0)
    said = NO_DIFFERENCE
    if low > 0 or high < 0:
        said = BETTER if (low > 0) != (name in LOWER_IS_BETTER) else WORSE
    rows = int(counted.sum()), int(differing.sum())
    return Compared(one, other, other - one, low, high, *rows, groups, too_few, said)


def _tail(rows: int) -> float:
    """The share to cut off at each end: 0.025, a little less on few rows."""
    if rows < 2:
        return 0.0
    normal = NormalDist()
    return 1.0 - normal.cdf(_student(rows - 1) * math.sqrt(rows / (rows - 1)))


def _student(freedom: int) -> float:
    """Student's t at the upper end of CONFIDENCE, by its expansion (Abramowitz and Stegun 26.7.5)."""
    z: float = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum((term / freedom**power for power, term in enumerate(terms, start=1)), 0.0)
