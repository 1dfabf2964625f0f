"""Who learns, who tells when to stop, who examines: whole groups, seeded, in the labels' proportions. Reads no text."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

TRAIN, VALIDATION, TEST = 0, 1, 2
NAMES = ("train", "validation", "test")
HELD_OUT = NAMES[1:]
ENOUGH = 1e-6  # of a row


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
    train where a row of the group is given to train, and are placed by themselves where it is held out.

    Groups of one label go, the largest first, to the split that lacks most of the rows so far, so that groups of every size
    are held out in proportion: an examination of the rare rows alone would say little. What a label leaves lacking, because
    its groups are too large for its shares, the next one makes good, those with the largest groups first. In the end no
    group could stand elsewhere and bring the shares nearer to what was asked.
    """
    given = fixed or {}
    trained = {group_of[row] for row, split in given.items() if split == TRAIN}
    groups: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(group_of):
        if row not in given and group not in trained:
            groups[group].append(row)
    sizes = {key: len(rows) for key, rows in groups.items()}
    open_to = [split for split in (TRAIN, TEST, VALIDATION) if split == TRAIN or shares[split]]
    lacking = [0.0, 0.0, 0.0]
    placed: dict[int, int] = {}
    for label, keys in _strata(groups, labels):
        for key in _largest_first(keys, sizes, f"{seed}:{label}"):
            lacking = [left + share * sizes[key] for left, share in zip(lacking, shares, strict=True)]
            split = max(open_to, key=lambda each: round(lacking[each], 6))
            placed[key] = split
            lacking[split] -= sizes[key]
    _settle(placed, sizes, lacking, open_to)
    return [given.get(row, placed.get(group, TRAIN)) for row, group in enumerate(group_of)]


def _strata(groups: Mapping[int, Sequence[int]], labels: Sequence[str | None]) -> list[tuple[str, list[int]]]:
    """Group keys by the label that most of a group's rows have (of equals, the first in the alphabet), the label with the
    largest group first."""
    found: dict[str, list[int]] = defaultdict(list)
    for key, rows in groups.items():
        counts = Counter(labels[row] or "" for row in rows)
        found[min(counts, key=lambda label: (-counts[label], label))].append(key)
    return sorted(found.items(), key=lambda each: (-max(len(groups[key]) for key in each[1]), each[0]))


def _largest_first(keys: Iterable[int], sizes: Mapping[int, int], seed: str) -> list[int]:
    """Small groups come last, to make up for what large ones leave uneven; groups of one size stand in seeded order."""
    ordered = sorted(keys)
    random.Random(seed).shuffle(ordered)
    return sorted(ordered, key=lambda key: -sizes[key])


def _settle(placed: dict[int, int], sizes: Mapping[int, int], lacking: list[float], open_to: Sequence[int]) -> None:
    """Move groups one by one, each time the one that brings the shares nearest, while any does.

    A group of `size` rows is better elsewhere if the split there lacks more than `size` rows more than its own: the sum of
    squares of what splits lack falls by 2 size (difference - size), most for half the difference.
    """
    held: dict[int, list[tuple[int, int]]] = {split: [] for split in open_to}
    for key, split in placed.items():
        held[split].append((sizes[key], key))
    for groups in held.values():
        groups.sort()
    while True:
        best = max(
            (
                (size * (lacking[to] - lacking[out] - size), to, out, at)
                for to in open_to
                for out in open_to
                for at, size in _half(held[out], lacking[to] - lacking[out])
            ),
            default=(0.0, 0, 0, 0),
        )
        gain, to, out, at = best
        if gain <= ENOUGH:
            return
        size, key = held[out].pop(at)
        held[to].insert(bisect_left(held[to], (size, key)), (size, key))
        lacking[to] -= size
        lacking[out] += size
        placed[key] = to


def _half(groups: Sequence[tuple[int, int]], difference: float) -> list[tuple[int, int]]:
    """Places and sizes of the two groups next to half the difference."""
    if difference <= 1:
        return []
    at = bisect_left(groups, (difference / 2,))
    return [(near, groups[near][0]) for near in (at - 1, at) if 0 <= near < len(groups)]
