"""How far several people judge alike, beyond chance. Pure; knows nothing of what they judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# With fewer rows that two people judged a kappa says next to nothing.
FEWEST_ROWS = 10


@dataclass(frozen=True, slots=True)
class Agreement:
    """`share` of pairs of judges who agree, over `rows` that two or more judged; `kappa` and its `name` where it holds."""

    rows: int
    share: float | None
    kappa: float | None
    name: str


def agreement(judged: Sequence[Mapping[str, str]]) -> Agreement:
    """`judged` holds for each row the choice by judge.

    Two judges: Cohen's kappa (1960). More: Fleiss' (1971), for rows with different numbers of judges as in Fleiss, Levin
    and Paik (2003, section 18.3). None where too few rows were judged twice, or chance alone would always agree.
    """
    twice = [row for row in judged if len(row) >= 2]
    if not twice:
        return Agreement(0, None, None, "")
    shares = [_alike(Counter(row.values())) for row in twice]
    share = sum(shares) / len(shares)
    judges = {judge for row in twice for judge in row}
    if len(twice) < FEWEST_ROWS:
        return Agreement(len(twice), share, None, "")
    expected = _by_chance_of_two(twice, sorted(judges)) if len(judges) == 2 else _by_chance_of_all(twice)
    name = "Cohen's kappa" if len(judges) == 2 else "Fleiss' kappa"
    if expected >= 1.0:
        return Agreement(len(twice), share, None, "")
    return Agreement(len(twice), share, (share - expected) / (1.0 - expected), name)


def _alike(counts: Counter[str]) -> float:
    """The share of pairs of judges of one row who chose the same."""
    judges = counts.total()
    return sum(count * (count - 1) for count in counts.values()) / (judges * (judges - 1))


def _by_chance_of_two(rows: Sequence[Mapping[str, str]], judges: Sequence[str]) -> float:
    one, other = (Counter(row[judge] for row in rows) for judge in judges)
    return sum(one[choice] * other[choice] for choice in one) / len(rows) ** 2


def _by_chance_of_all(rows: Sequence[Mapping[str, str]]) -> float:
    counts = Counter(choice for row in rows for choice in row.values())
    return sum((count / counts.total()) ** 2 for count in counts.values())
