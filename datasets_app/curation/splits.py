"""Who learns, who tells when to stop, who examines: whole groups, seeded, in the labels' proportions. Reads no text."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

TRAIN, VALIDATION, TEST = 0, 1, 2
NAMES = ("train", "validation", "test")
HELD_OUT = NAMES[1:]


def assign(
    group_of: Sequence[int],
    *,
    shares: Sequence[float],
    seed: int,
    labels: Sequence[str | None],
    fixed: Mapping[int, int] | None = None,
) -> list[int]:
    """The split of each row: 0 train, 1 validation, 2 test.

    group_of: each row's group; a group is never divided. shares: train, validation, test, summing to 1. labels: what
    to stratify by (None: no label). fixed: row to split, for rows whose split was given. Others of their groups go to
    train where a row of the group is given to train, and are placed by themselves where it is held out. Groups go, the
    largest first, to the split that lacks most rows of their label.
    """
    given = fixed or {}
    trained = {group_of[row] for row, split in given.items() if split == TRAIN}
    groups: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(group_of):
        if row not in given and group not in trained:
            groups[group].append(row)
    found = [given.get(row, TRAIN) for row in range(len(group_of))]
    overall = [share * sum(map(len, groups.values())) for share in shares]
    for label, keys in sorted(_strata(groups, labels).items()):
        within = [share * sum(len(groups[key]) for key in keys) for share in shares]
        for key in _largest_first(keys, groups, f"{seed}:{label}"):
            size = len(groups[key])
            split = _neediest(within, overall, shares, size)
            within[split] -= size
            overall[split] -= size
            for row in groups[key]:
                found[row] = split
    return found


def _strata(groups: Mapping[int, Sequence[int]], labels: Sequence[str | None]) -> dict[str, list[int]]:
    """Group keys by the label that most of a group's rows have; of equals, the first in the alphabet."""
    found: dict[str, list[int]] = defaultdict(list)
    for key, rows in groups.items():
        counts = Counter(labels[row] or "" for row in rows)
        found[min(counts, key=lambda label: (-counts[label], label))].append(key)
    return found


def _largest_first(keys: Iterable[int], groups: Mapping[int, Sequence[int]], seed: str) -> list[int]:
    """Large groups are placed while every split still has room; groups of one size stand in seeded order."""
    ordered = sorted(keys)
    random.Random(seed).shuffle(ordered)
    return sorted(ordered, key=lambda key: -len(groups[key]))


def _neediest(within: Sequence[float], overall: Sequence[float], shares: Sequence[float], size: int) -> int:
    """The split that lacks most rows of this label, then most rows at all; train takes what fits nowhere else."""
    roomy = [
        split
        for split, share in enumerate(shares)
        if split == TRAIN or (share and size <= max(1.0, overall[split] + 0.5))
    ]
    return max(roomy, key=lambda split: (round(within[split], 6), overall[split]))
