"""Classes made even, in train alone and after the split: which rows go, which come again, or what each class weighs.

Works on labels; reads no text and writes nothing. Rows without a label are left as they are.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

METHODS = ("none", "cap", "down_sample", "up_sample", "class_weights")


@dataclass(frozen=True, slots=True)
class Plan:
    """gone: rows that are left out. again: rows that are written more than once, with how many times more. weights: by
    class, for training."""

    gone: frozenset[int] = frozenset()
    again: Mapping[int, int] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)


def plan(labels: Sequence[tuple[int, str]], *, method: str, cap: int, ratio: float, seed: int) -> Plan:
    """What to do with training rows, given as (row, label).

    cap: rows a class may keep (`cap`). ratio: how many times as large as the smallest class the largest may stay
    (`down_sample`, `up_sample`); 1 makes all even. Which rows go or come again is drawn by the seed.
    """
    classes: defaultdict[str, list[int]] = defaultdict(list)
    for row, label in labels:
        classes[label].append(row)
    sizes = {label: len(rows) for label, rows in classes.items()}
    if not sizes or method == "none":
        return Plan()
    if method == "class_weights":
        return Plan(weights=class_weights(sizes))
    if method == "up_sample":
        least = math.floor(max(sizes.values()) / ratio)
        again: Counter[int] = Counter()
        for label, rows in sorted(classes.items()):
            again.update(_more(rows, least - len(rows), f"{seed}:{label}"))
        return Plan(again=again)
    most = cap if method == "cap" else math.floor(min(sizes.values()) * ratio)
    return Plan(
        gone=frozenset(row for label, rows in classes.items() for row in _drawn(rows, f"{seed}:{label}")[most:])
    )


def _drawn(rows: Sequence[int], seed: str) -> list[int]:
    ordered = list(rows)
    random.Random(seed).shuffle(ordered)
    return ordered


def _more(rows: Sequence[int], missing: int, seed: str) -> list[int]:
    """`missing` more of these rows: each as often as the others, but for one."""
    ordered = _drawn(rows, seed)
    return [ordered[place % len(ordered)] for place in range(max(0, missing))]


def class_weights(sizes: Mapping[str, int]) -> dict[str, float]:
    """rows / (classes · rows of the class), so that each class weighs the same (King and Zeng 2001)."""
    total = sum(sizes.values())
    return {label: round(total / (len(sizes) * size), 6) for label, size in sorted(sizes.items())}


def imbalance(sizes: Mapping[str, int]) -> float | None:
    """Rows of the largest class over rows of the smallest; None without classes."""
    return round(max(sizes.values()) / min(sizes.values()), 3) if sizes else None


def effective_classes(sizes: Mapping[str, int]) -> float:
    """The exponential of the entropy of the class shares: how many even classes would be as diverse (Hill 1973)."""
    total = sum(sizes.values())
    return round(math.exp(-sum(size / total * math.log(size / total) for size in sizes.values())), 3) if total else 0.0
