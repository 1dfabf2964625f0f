"""The hits of personal data beside a version: narrowed, counted, fetched by key. The values themselves are not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets_app.curation.browsing.database import columns_of, database
from datasets_app.curation.browsing.index import index_of
from datasets_app.curation.errors import Refusal

FILE = "findings.parquet"
SURE = 0.85  # what checksums and unambiguous shapes reach; below it a look is worth while
_NARROWED = """
    FROM read_parquet(?) WHERE (? = '' OR entity_type = ?) AND (? = '' OR action = ?) AND score >= ? AND score <= ?
    AND (? = '' OR value_key = ?)
    AND (?::BOOLEAN IS NULL OR ?::BOOLEAN = (
        key IN (SELECT unnest(?::VARCHAR[])) OR concat('value:', value_key) IN (SELECT unnest(?::VARCHAR[]))
    ))
"""
_ORDER = 'score, file, "row", turn, start'
_IN_TEST = """
    EXISTS (SELECT 1 FROM read_parquet(?) AS exam
            WHERE exam.split = 'test' AND exam.file = hits.file AND exam."row" = hits."row") AS is_test
"""
_PAGE = f"""
    WITH found AS (SELECT * {_NARROWED}),
    hits AS (
        SELECT * FROM found WHERE ? = '' OR ({_ORDER}) > (SELECT ({_ORDER}) FROM read_parquet(?) WHERE key = ?)
        ORDER BY {_ORDER} LIMIT ? OFFSET ?
    ),
    sizes AS (
        SELECT value_key, count(*) AS equal FROM found WHERE value_key IN (SELECT value_key FROM hits) GROUP BY value_key
    )
    SELECT hits.*, sizes.equal, {_IN_TEST} FROM hits JOIN sizes USING (value_key) ORDER BY {_ORDER}
"""  # noqa: S608 - constants
_COUNT = f"SELECT count(*) {_NARROWED}"
_VALUES = f"SELECT value_key, any_value(entity_type) AS entity_type {_NARROWED} GROUP BY value_key LIMIT ?"
_BY_KEY = f"""
    SELECT *, {_IN_TEST} FROM (
        SELECT *, count(*) OVER (PARTITION BY value_key) AS equal FROM read_parquet(?)
    ) AS hits WHERE key IN (SELECT unnest(?::VARCHAR[]))
"""  # noqa: S608 - constants
_KNOWN = "SELECT count(*) FROM read_parquet(?) WHERE key = ?"
_FACETS = """
    SELECT entity_type, action, count(*) AS hits, count(DISTINCT value_key) AS "values",
           count(*) FILTER (score < ?) AS unsure, min(score) AS least
    FROM read_parquet(?) GROUP BY entity_type, action ORDER BY hits DESC, entity_type, action
"""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which hits: of a type, with an action, of a value, with a score from `least` to `most`; `decided` or not, by the keys
    of `decisions` (those of hits, and `value:` with that of a value). Nothing given: all."""

    entity_type: str = ""
    action: str = ""
    value_key: str = ""
    least: float = 0.0
    most: float = 1.0
    decided: bool | None = None
    decisions: Sequence[str] = ()

    def parameters(self) -> list[object]:
        """What the statements above ask for, in their order."""
        twice = [self.entity_type, self.entity_type, self.action, self.action]
        keys = [] if self.decided is None else list(self.decisions)
        return [*twice, self.least, self.most, self.value_key, self.value_key, self.decided, self.decided, keys, keys]


def has_findings(folder: Path) -> bool:
    """Whether the version has a record of its hits; one that looked for none has not."""
    return (folder / FILE).exists()


def page(
    folder: Path, narrowed: Narrowed, *, limit: int, offset: int = 0, after: str = ""
) -> tuple[list[dict[str, Any]], int]:
    """Hits, the least sure first, with how many are `equal` in value and whether they stand in a test row; and how many
    there are in all. `after` is the key of the hit before the page. Raises Refusal where there is none such."""
    file, index = str(folder / FILE), str(index_of(folder))
    given = [file, *narrowed.parameters()]
    with database() as connection:
        if after and connection.execute(_KNOWN, [file, after]).fetchone() == (0,):
            message = f"The cursor {after[:60]!r} is none."
            raise Refusal(code="bad_cursor", message=message, fix="Start without one.")
        (total,) = connection.execute(_COUNT, given).fetchone() or (0,)
        rows = connection.execute(_PAGE, [*given, after, file, after, limit, offset, index]).fetchall()
        return [dict(zip(columns_of(connection), row, strict=True)) for row in rows], int(total)


def by_key(folder: Path, keys: Sequence[str]) -> list[dict[str, Any]]:
    """The hits with these keys, as on a page."""
    index = str(index_of(folder))
    with database() as connection:
        rows = connection.execute(_BY_KEY, [index, str(folder / FILE), list(keys)]).fetchall()
        return [dict(zip(columns_of(connection), row, strict=True)) for row in rows]


def values(folder: Path, narrowed: Narrowed, *, limit: int) -> list[tuple[str, str]]:
    """Each value that is narrowed to, once: its key and its type; at most `limit`."""
    given = [str(folder / FILE), *narrowed.parameters(), limit]
    with database() as connection:
        return [(str(key), str(kind)) for key, kind in connection.execute(_VALUES, given).fetchall()]


def facets(folder: Path) -> list[dict[str, Any]]:
    """Hits by type and action: `hits`, different `values`, `unsure` ones, the `least` score."""
    with database() as connection:
        rows = connection.execute(_FACETS, [SURE, str(folder / FILE)]).fetchall()
        return [dict(zip(columns_of(connection), row, strict=True)) for row in rows]
