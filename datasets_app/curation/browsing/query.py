"""Questions to a version's index: which rows, narrowed by what, in which order, one page at a time. Reads no row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets_app.curation.browsing.database import columns_of, database
from datasets_app.curation.browsing.index import SPLITS, facets_of, index_of
from datasets_app.curation.errors import Refusal

if TYPE_CHECKING:
    import duckdb

SORTS = {
    "place": ("number", "ASC"),
    "longest": ("characters", "DESC"),
    "shortest": ("characters", "ASC"),
    "copies": ("cluster_size", "DESC"),
}
LARGEST = 10_000
SHOWN = (
    'number, split, place, row_id, file, "row", label, "group", cluster, cluster_size, tokens, turns, characters, marks'
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows. Nothing given: all of `splits`. `least` and `most` are lengths in characters, both inclusive."""

    splits: Sequence[str] = SPLITS
    text: str = ""
    label: str = ""
    file: str = ""
    mark: str = ""
    cluster: int | None = None
    group: str = ""
    least: int | None = None
    most: int | None = None
    near_copies: bool = False
    places: Sequence[tuple[str, int]] | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the split is asked for."""
        return self != Wanted(splits=self.splits)


@dataclass(frozen=True, slots=True)
class Hits:
    """One page: rows of the index as dicts, the cursor of the next page (empty: none), and how many in all.

    `total` is None on later pages: it does not change, and counting is the dear part.
    """

    rows: list[dict[str, Any]]
    after: str
    total: int | None


def _conditions(wanted: Wanted) -> tuple[str, list[Any]]:
    parts: list[tuple[str, Any]] = [("list_contains(?::VARCHAR[], split)", list(wanted.splits))]
    equal = (("label", wanted.label), ("file", wanted.file), ('"group"', wanted.group), ("cluster", wanted.cluster))
    parts += [(f"{column} = ?", value) for column, value in equal if value not in ("", None)]
    if wanted.near_copies:
        parts.append(("cluster_size >= ?", 2))
    if wanted.mark:
        parts.append(("list_contains(marks, ?)", wanted.mark))
    if wanted.least is not None:
        parts.append(("characters >= ?", wanted.least))
    if wanted.most is not None:
        parts.append(("characters <= ?", wanted.most))
    if wanted.places is not None:
        keys = [f"{split}:{place}" for split, place in wanted.places]
        parts.append(("list_contains(?::VARCHAR[], concat(split, ':', place))", keys))
        if keys:  # by these row groups without one of them are skipped
            numbers = [place for _, place in wanted.places]
            parts += [("place >= ?", min(numbers)), ("place <= ?", max(numbers))]
    if wanted.text:
        parts.append(("contains(text, ?)", wanted.text.lower()))
    return " AND ".join(condition for condition, _ in parts), [value for _, value in parts]


def _behind(cursor: str, sort: str) -> tuple[str, list[Any]]:
    """The condition that a row stands behind the cursor `value:number`."""
    key, way = SORTS[sort]
    try:
        value, number = map(int, cursor.split(":"))
    except ValueError as error:
        message = f"The cursor {cursor[:60]!r} is none."
        raise Refusal(code="bad_cursor", message=message, fix="Start without one.") from error
    if sort == "place":
        return "number > ?", [number]
    further = "<" if way == "DESC" else ">"  # said twice: by the first alone whole row groups are skipped
    return f"{key} {further}= ? AND ({key} {further} ? OR number > ?)", [value, value, number]


def page(folder: Path, wanted: Wanted, *, sort: str = "place", after: str = "", limit: int = 20) -> Hits:
    """One page of rows. Raises Refusal for a sort or a cursor that is none."""
    if sort not in SORTS:
        message = f"Rows cannot be sorted by {sort[:40]!r}."
        raise Refusal(code="bad_sort", message=message, fix=f"Use one of {', '.join(SORTS)}.")
    size = min(limit, LARGEST)
    total: int | None
    with database() as connection:
        if wanted.is_narrowed and not after:
            index = str(index_of(folder))
            numbers, total = _narrowed(connection, index, wanted, sort=sort, limit=size + 1)
            rows = _shown(connection, index, sort, ("number IN (SELECT unnest(?::BIGINT[]))", [numbers]), size + 1)
        else:
            condition, values = _conditions(wanted)
            if after:
                behind, more = _behind(after, sort)
                condition, values = f"{condition} AND {behind}", [*values, *more]
            index = str(index_of(folder, order="" if wanted.text else sort))
            rows = _shown(connection, index, sort, (condition, values), size + 1)
            total = None if after else sum(facets_of(folder)["splits"].get(split, 0) for split in wanted.splits)
    return _hits(rows, size, total)


def _narrowed(
    connection: duckdb.DuckDBPyConnection, index: str, wanted: Wanted, *, sort: str, limit: int
) -> tuple[list[int], int]:
    """Numbers of the first rows and how many there are, in one pass over what has to be searched."""
    condition, values = _conditions(wanted)
    key, way = SORTS[sort]
    found = f"SELECT number, {key} AS sorted_by FROM read_parquet(?) WHERE {condition}"  # noqa: S608 - constants
    connection.execute(f"CREATE OR REPLACE TEMP TABLE found AS {found}", [index, *values])
    total = (connection.execute("SELECT count(*) FROM found").fetchone() or (0,))[0]
    first = f"SELECT number FROM found ORDER BY sorted_by {way}, number LIMIT ?"  # noqa: S608 - constants
    return [each[0] for each in connection.execute(first, [limit]).fetchall()], total


def _shown(
    connection: duckdb.DuckDBPyConnection, index: str, sort: str, where: tuple[str, list[Any]], limit: int
) -> list[dict[str, Any]]:
    key, way = SORTS[sort]
    statement = (
        f"SELECT {SHOWN}, {key} AS sorted_by FROM read_parquet(?) WHERE {where[0]} "  # noqa: S608 - constants
        f"ORDER BY {key} {way}, number LIMIT ?"
    )
    found = connection.execute(statement, [index, *where[1], limit]).fetchall()
    names = columns_of(connection)
    return [dict(zip(names, each, strict=True)) for each in found]


def _hits(rows: list[dict[str, Any]], limit: int, total: int | None) -> Hits:
    last = rows[limit - 1] if len(rows) > limit else None
    cursor = f"{last['sorted_by']}:{last['number']}" if last else ""
    kept = [{key: value for key, value in row.items() if key != "sorted_by"} for row in rows[:limit]]
    return Hits(kept, cursor, total)
