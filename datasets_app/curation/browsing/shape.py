"""The shape of a version in a few numbers, to see how one differs from another: labels, lengths, files, splits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets_app.curation.browsing.database import database
from datasets_app.curation.browsing.index import facets_of, index_of

_LENGTHS = """
    SELECT count(*), quantile_cont(characters, 0.1), median(characters), quantile_cont(characters, 0.9), avg(turns)
    FROM read_parquet(?)
"""


def shape_of(folder: Path) -> dict[str, Any]:
    """`{rows, labels: {label: rows}, characters: {low, middle, high}, turns}`; low and high are the outer tenths."""
    index = index_of(folder)
    with database() as connection:
        rows, low, middle, high, turns = connection.execute(_LENGTHS, [str(index)]).fetchone() or (0,) * 5
    labels = {each["value"]: each["train"] + each["validation"] + each["test"] for each in facets_of(folder)["labels"]}
    return {
        "rows": rows,
        "labels": labels,
        "characters": {"low": low or 0, "middle": middle or 0, "high": high or 0},
        "turns": round(turns or 0, 2),
    }


def distance(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Total variation distance of two counts, 0 (the same shares) to 1 (nothing in common)."""
    sums = max(1, sum(one.values())), max(1, sum(other.values()))
    keys = {*one, *other}
    return sum(abs(one.get(key, 0) / sums[0] - other.get(key, 0) / sums[1]) for key in keys) / 2
