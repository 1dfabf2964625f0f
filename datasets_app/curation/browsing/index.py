"""The index beside a version's rows: narrow columns and the text in lower case, so that a million rows are searched
within a second. It can be made again from the rows at any time and is no part of the version's digest.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets_app.curation.browsing.database import spilling_database
from datasets_app.curation.errors import Refusal

if TYPE_CHECKING:
    import duckdb

TRAIN = "train"
SPLITS = (TRAIN, "validation", "test")
INDEX = "index.parquet"
FACETS = "facets.json"
ORDERS = {"longest": "characters DESC, number", "shortest": "characters, number"}
SEARCHED = 65_536  # characters of a row that are searched; a row of more is found by its beginning
# Small groups, so that twenty rows from all over cost little; LZ4, because a search unpacks all text each time.
ROW_GROUP = 6_144
MOST_VALUES = 200

_ROWS = """
    SELECT {before} + file_row_number AS number, '{split}' AS split, file_row_number AS place,
           row_id, file, "row", label, "group", cluster, tokens,
           len(messages)::INTEGER AS turns,
           list_aggregate(list_transform(messages, lambda m: coalesce(m.content, '')), 'string_agg', chr(10)) AS said,
           md5_number_lower(messages::VARCHAR || chr(0) || coalesce(label, '')) AS content
    FROM read_parquet(?, file_row_number = true)
"""
_COPY = """
    COPY (
        SELECT rows.* EXCLUDE (said), coalesce(sizes.size, 1) AS cluster_size,
               coalesce(length(said), 0)::INTEGER AS characters,
               list_sort(list_distinct(regexp_extract_all(said, '\\[([A-Z_]{{2,24}})(?:_\\d+)?\\]', 1))) AS marks,
               lower(left(coalesce(said, ''), {searched})) AS text
        FROM ({rows}) AS rows LEFT JOIN sizes ON sizes.cluster = rows.cluster
    ) TO {target} ({format})
"""
_FORMAT = f"FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE {ROW_GROUP}"


def index_of(folder: Path, *, order: str = "") -> Path:
    """The index of the version in ``folder``; made now where it is missing. Refusal where there are no rows.

    With an `order` of ORDERS, the copy of its narrow columns that lies in that order, where there is one.
    """
    if not all((folder / name).exists() for name in (INDEX, FACETS, *map(_copy_in, ORDERS))):
        write_index(folder)
    return folder / (_copy_in(order) if order in ORDERS else INDEX)


def _copy_in(order: str) -> str:
    return f"index-{order}.parquet"


def write_index(folder: Path) -> None:
    """Make index, its ordered copies and facets from train, validation and test.parquet; each appears whole."""
    splits = [split for split in SPLITS if (folder / f"{split}.parquet").exists()]
    if not splits:
        raise Refusal(code="no_rows", message="This version has no rows to look at.", fix="Make it again.")
    with tempfile.TemporaryDirectory(prefix=".index-", dir=folder) as name:
        made = Path(name)
        with spilling_database(made / "spill") as connection:
            _copy(connection, folder, splits, made / INDEX)
            for order, columns in ORDERS.items():
                ordered = f"SELECT * EXCLUDE (text, content) FROM read_parquet(?) ORDER BY {columns}"  # noqa: S608 - constants
                target = quoted(made / _copy_in(order))
                connection.execute(f"COPY ({ordered}) TO {target} ({_FORMAT})", [str(made / INDEX)])
            (made / FACETS).write_text(json.dumps(_facets(connection, made / INDEX)), encoding="utf-8")
        for each in (*map(_copy_in, ORDERS), FACETS, INDEX):
            os.replace(made / each, folder / each)


def _copy(connection: duckdb.DuckDBPyConnection, folder: Path, splits: Sequence[str], target: Path) -> None:
    paths = [str(folder / f"{split}.parquet") for split in splits]
    clusters = "SELECT cluster, count(*) AS size FROM read_parquet(?) GROUP BY cluster HAVING count(*) > 1"
    connection.execute(f"CREATE TEMP TABLE sizes AS {clusters}", [paths])
    rows = " UNION ALL ".join(
        _ROWS.format(split=split, before=before) for split, before in zip(splits, _starts(paths), strict=True)
    )
    statement = _COPY.format(rows=rows, target=quoted(target), searched=SEARCHED, format=_FORMAT)
    connection.execute(statement, paths)


def quoted(path: Path) -> str:
    """The path as a text of a statement."""
    return "'" + str(path).replace("'", "''") + "'"


def _starts(paths: Sequence[str]) -> list[int]:
    """The number of the first row of each file: rows are numbered through all splits."""
    import pyarrow.parquet as pq  # late: most requests never look into a version

    return [0, *accumulate(pq.read_metadata(path).num_rows for path in paths[:-1])]


def _facets(connection: duckdb.DuckDBPyConnection, index: Path) -> dict[str, Any]:
    """What rows can be narrowed by, each value with its number of rows by split; the most frequent first."""

    def counted(value: str, source: str = "read_parquet(?)") -> list[dict[str, Any]]:
        sums = ", ".join(f"count(*) FILTER (split = '{split}') AS {split}" for split in SPLITS)
        statement = (
            f"SELECT value, {sums} FROM (SELECT {value} AS value, split FROM {source}) "  # noqa: S608 - constants
            f"WHERE value IS NOT NULL GROUP BY value ORDER BY count(*) DESC, value LIMIT {MOST_VALUES}"
        )
        found = connection.execute(statement, [str(index)]).fetchall()
        return [{"value": each[0], **dict(zip(SPLITS, each[1:], strict=True))} for each in found]

    return {
        "splits": {each["value"]: each[each["value"]] for each in counted("split")},
        "labels": counted("label"),
        "files": counted("file"),
        "marks": counted("unnest(marks)"),
        "near_copies": counted("CASE WHEN cluster_size > 1 THEN 'yes' END"),
    }


def facets_of(folder: Path) -> dict[str, Any]:
    """The facets of the version in ``folder``; see `_facets`."""
    index_of(folder)
    found: dict[str, Any] = json.loads((folder / FACETS).read_text(encoding="utf-8"))
    return found
