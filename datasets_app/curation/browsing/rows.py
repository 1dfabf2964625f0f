"""Rows of a version by their place: reads the row groups that hold them and nothing else."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

Place = tuple[str, int]


def rows_at(
    folder: Path, places: Sequence[Place], *, columns: Sequence[str] | None = None
) -> dict[Place, dict[str, Any]]:
    """The rows at these places (split, 0-based position in it); a place that is none is left out.

    Whole rows, or those of `columns` that the version has: what a list of rows does not show is the dearer part.
    """
    by_split: dict[str, list[int]] = defaultdict(list)
    for split, place in places:
        by_split[split].append(place)
    found: dict[Place, dict[str, Any]] = {}
    for split, wanted in by_split.items():
        for place, row in _of_split(folder / f"{split}.parquet", sorted(set(wanted)), columns):
            found[split, place] = row
    return found


def _of_split(path: Path, wanted: Sequence[int], columns: Sequence[str] | None) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow.parquet as pq  # late: most requests never look into a version

    if not path.exists():
        return
    with pq.ParquetFile(path) as file:
        sizes = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
        starts = [0, *accumulate(sizes)]
        by_group: dict[int, list[int]] = defaultdict(list)
        for place in wanted:
            if 0 <= place < starts[-1]:
                by_group[bisect_right(starts, place) - 1].append(place)
        for group, places in by_group.items():
            table = file.read_row_group(group, columns=columns)
            taken = table.take([place - starts[group] for place in places]).to_pylist()
            yield from zip(places, taken, strict=True)
