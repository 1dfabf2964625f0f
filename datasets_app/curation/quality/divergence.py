"""How far apart two counts are, in the two measures that people who watch data know. Counts in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

SMOOTHING = 0.5  # added to every count: a value that one side lacks would make the sum infinite


def population_stability(old: Mapping[Any, int], new: Mapping[Any, int]) -> float:
    """Population stability index, Σ (new share - old share) · ln(new share / old share) over all values, 0 and more.

    Siddiqi, Credit Risk Scorecards (2006): below 0.1 nothing to speak of, from 0.25 a large shift. Symmetric: it is
    Jeffreys' divergence. 0 where both are empty.
    """
    values = {*old, *new}
    sums = [sum(side.values()) + SMOOTHING * len(values) for side in (old, new)]
    pairs = [((old.get(each, 0) + SMOOTHING) / sums[0], (new.get(each, 0) + SMOOTHING) / sums[1]) for each in values]
    return math.fsum((after - before) * math.log(after / before) for before, after in pairs)


def jensen_shannon(one: Mapping[Any, int], other: Mapping[Any, int]) -> float:
    """Jensen-Shannon divergence to the base 2: 0 (the same shares) to 1 (nothing in common). Lin 1991.

    0 where one side is empty: nothing can be said then.
    """
    sums = sum(one.values()), sum(other.values())
    if not all(sums):
        return 0.0
    found = 0.0
    for each in {*one, *other}:
        shares = one.get(each, 0) / sums[0], other.get(each, 0) / sums[1]
        middle = sum(shares) / 2
        found += sum(share * math.log2(share / middle) for share in shares if share) / 2
    return min(1.0, max(0.0, found))
