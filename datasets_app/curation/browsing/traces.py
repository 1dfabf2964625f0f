"""Where a phrase stands: in the records of an upload as they came, and in the rows of a frozen version. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from datasets_app.curation.browsing.database import database
from datasets_app.curation.browsing.index import SEARCHED, index_of
from datasets_app.curation.browsing.rows import Place, rows_at
from datasets_app.curation.erasure import Phrase
from datasets_app.curation.readers.upload import Readings, opened
from datasets_app.curation.rows import Record

_SAYING = """
    SELECT split, place FROM read_parquet(?)
    WHERE contains(text, ?) AND contains(' ' || regexp_replace(text, '[^\\pL\\pN_]+', ' ', 'g') || ' ', ?)
    ORDER BY number
"""
_LONG = "SELECT split, place FROM read_parquet(?) WHERE characters > ? ORDER BY number"
_FROM = """
    SELECT split, place FROM read_parquet(?) AS rows
    JOIN (SELECT unnest(?::VARCHAR[]) AS file, unnest(?::BIGINT[]) AS "row") AS wanted
      ON wanted.file = rows.file AND wanted."row" = rows."row"
    ORDER BY number
"""


def records_saying(path: Path, phrase: Phrase, readings: Readings) -> Iterator[tuple[str, int]]:
    """(source, record) of each record that says the phrase, in any column; records that cannot be read count too.

    Reads the whole file. Raises Refusal for a file that cannot be read.
    """
    with opened(path, readings) as upload:
        for source in upload.sources:
            for each in source.records():
                cells = each.values.values() if isinstance(each, Record) else (each.text,)
                if any(phrase.is_in(text) for cell in cells for text in _texts(cell)):
                    yield source.name, each.row


def _texts(cell: object) -> Iterator[str]:
    """Every text in a cell, however deep."""
    if isinstance(cell, Mapping):
        cell = [*cell, *cell.values()]
    if isinstance(cell, list | tuple):
        for each in cell:
            yield from _texts(each)
    elif cell is not None:
        yield cell if isinstance(cell, str) else str(cell)


def rows_saying(folder: Path, phrase: Phrase) -> list[Place]:
    """Places of the rows of a version that say the phrase."""
    longest = max(phrase.text.split(), key=len)
    index = str(index_of(folder))
    with database() as connection:
        found = connection.execute(_SAYING, [index, longest, f" {phrase.text} "]).fetchall()
        long = connection.execute(_LONG, [index, SEARCHED]).fetchall()
    known = set(found)
    further = rows_at(folder, [place for place in long if place not in known])
    said = [place for place, row in further.items() if any(phrase.is_in(turn["content"]) for turn in row["messages"])]
    return [*found, *said]


def rows_from(folder: Path, records: Mapping[str, Sequence[int]]) -> list[Place]:
    """Places of the rows of a version that came from these records, by the file's name in the version."""
    pairs = [(name, row) for name, rows in records.items() for row in rows]
    given = [str(index_of(folder)), [name for name, _ in pairs], [row for _, row in pairs]]
    with database() as connection:
        found: list[Place] = connection.execute(_FROM, given).fetchall()
    return found
