"""CSV and its kin as an iterator of records: line numbers, ragged rows. Guesses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from datasets_app.curation.readers.dialect import Dialect
from datasets_app.curation.readers.splitting import Lines, split
from datasets_app.curation.rows import Problem, Record


def _without_empty_end(fields: list[str], width: int) -> list[str]:
    """Spreadsheets write empty cells behind the last column; they say nothing."""
    return fields[:width] if len(fields) > width and not any(fields[width:]) else fields


def _ragged(*, row: int, line: int, width: int, dialect: Dialect, text: str) -> Problem:
    expected = len(dialect.columns)
    where = "the header has" if dialect.has_header else "the other rows have"
    cause = "Quote the fields that hold the delimiter." if width > expected else "Add what is missing."
    detail = f"Row {row + 1:,} (line {line}) has {width} fields where {where} {expected}. {cause}"
    return Problem(row, line, "ragged_row", detail, text)


def _row(row: int, line: int, fields: list[str] | str, *, dialect: Dialect, lines: Lines) -> Record | Problem:
    if isinstance(fields, str):
        return Problem(row, line, "bad_csv", fields, lines.seen())
    fields = _without_empty_end(fields, len(dialect.columns))
    if len(fields) != len(dialect.columns):
        return _ragged(row=row, line=line, width=len(fields), dialect=dialect, text=lines.seen())
    return Record(row, line, dict(zip(dialect.columns, fields, strict=True)))


def read_delimited(stream: TextIO, dialect: Dialect) -> Iterator[Record | Problem]:
    """Yield a Record or a Problem for every row that is not blank. ``stream`` must be opened with ``newline=""``."""
    lines = Lines(stream)
    row = -dialect.skipped - int(dialect.has_header)
    for line, fields in split(lines, dialect.splitting):
        if row >= 0:
            yield _row(row, line, fields, dialect=dialect, lines=lines)
        row += 1
