"""What became of the rows from one version to another: added, removed, changed, or moved to another split.

A row is known by the file and record it came from, and by its number among the rows of that record. Compares digests of
conversations, so a million rows cost seconds and little memory; texts are for the caller to fetch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets_app.curation.browsing.database import columns_of, database
from datasets_app.curation.browsing.index import index_of

if TYPE_CHECKING:
    import duckdb

KINDS = ("added", "removed", "changed", "moved")

_SIDE = """
    CREATE OR REPLACE TEMP TABLE {name} AS
    SELECT coalesce(names.id, rows.file) AS file, "row", split, place, content,
           row_number() OVER (PARTITION BY rows.file, "row" ORDER BY number) AS nth
    FROM read_parquet(?) AS rows
    LEFT JOIN (SELECT unnest(?::VARCHAR[]) AS name, unnest(?::VARCHAR[]) AS id) AS names ON names.name = rows.file
"""
_BOTH = """
    CREATE OR REPLACE TEMP TABLE both_sides AS
    SELECT coalesce(new.file, old.file) AS file, coalesce(new."row", old."row") AS "row",
           coalesce(new.nth, old.nth) AS nth, old.split AS old_split, old.place AS old_place,
           new.split AS new_split, new.place AS new_place,
           CASE WHEN old.file IS NULL THEN 'added' WHEN new.file IS NULL THEN 'removed'
                WHEN old.content <> new.content THEN 'changed' WHEN old.split <> new.split THEN 'moved'
                ELSE 'same' END AS kind
    FROM old FULL OUTER JOIN new ON old.file = new.file AND old."row" = new."row" AND old.nth = new.nth
"""
_PAGE = """
    SELECT * FROM both_sides WHERE list_contains(?::VARCHAR[], kind)
    AND (? OR (coalesce(old_split, '') <> 'test' AND coalesce(new_split, '') <> 'test'))
    ORDER BY file, "row", nth LIMIT ? OFFSET ?
"""


@dataclass(frozen=True, slots=True)
class Side:
    """One version: its folder, and the file's own id for each name that its rows carry."""

    folder: Path
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """`counts` by kind, `same` among them, test rows included; `rows` is one page, of those rows that may be seen."""

    counts: dict[str, int]
    rows: list[dict[str, Any]]


def difference(
    old: Side, new: Side, *, kinds: tuple[str, ...] = KINDS, test_rows: bool = False, offset: int = 0, limit: int = 20
) -> Difference:
    """Compare two versions. Rows have `kind, file, row, nth, old_split, old_place, new_split, new_place`."""
    with database() as connection:
        _side(connection, "old", old)
        _side(connection, "new", new)
        connection.execute(_BOTH)
        counts = dict(connection.execute("SELECT kind, count(*) FROM both_sides GROUP BY kind").fetchall())
        found = connection.execute(_PAGE, [list(kinds), test_rows, limit, offset]).fetchall()
        names = columns_of(connection)
        rows = [dict(zip(names, each, strict=True)) for each in found]
    return Difference({kind: counts.get(kind, 0) for kind in (*KINDS, "same")}, rows)


def _side(connection: duckdb.DuckDBPyConnection, name: str, side: Side) -> None:
    given = [str(index_of(side.folder)), list(side.names), list(side.names.values())]
    connection.execute(_SIDE.format(name=name), given)
