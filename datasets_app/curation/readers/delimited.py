"""CSV and its kin as an iterator of records: line numbers, ragged rows, quotes that never close. Guesses nothing."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import TextIO

from datasets_app.curation.readers.dialect import Dialect, csv_reader
from datasets_app.curation.rows import Problem, Record

FIELD_BYTES = 100 * 1024 * 1024
RECOVERIES = 200
SEEN_CHARACTERS = 2000

csv.field_size_limit(FIELD_BYTES)


class _Lines:
    """The lines of a file for ``csv``, remembering those of the record at hand so that they can be given back."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._returned: deque[str] = deque()
        self.current: list[str] = []
        self.next_line = 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._stream).replace("\0", "\ufffd")
        self.current.append(line)
        return line

    def start_record(self) -> int:
        """Forget the record before; return the line number (from 1) at which the next one starts."""
        self.next_line += len(self.current)
        self.current = []
        return self.next_line

    def give_back_all_but_first(self) -> str:
        """Return the first line of the record; the rest will be read again."""
        first, *rest = self.current
        self._returned.extendleft(reversed(rest))
        self.current = [first]
        return first


def _quote_left_open(lines: list[str]) -> bool:
    return len(lines) > 1 and sum(line.count('"') for line in lines) % 2 == 1


def _split(lines: _Lines, dialect: Dialect) -> Iterator[tuple[int, list[str] | str]]:
    """Yield (line, fields) of each row that is not blank, or (line, sentence) where the row cannot be split."""
    recoveries = 0
    reader = csv_reader(lines, dialect.delimiter, quoting=dialect.quoting)
    while True:
        line = lines.start_record()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"Line {line} cannot be split into fields ({error}). Check its quotes."
            continue
        if dialect.quoting and _quote_left_open(lines.current) and recoveries < RECOVERIES:
            recoveries += 1
            first = lines.give_back_all_but_first()
            reader = csv_reader(lines, dialect.delimiter, quoting=dialect.quoting)
            if dialect.delimiter == "\t":
                yield line, first.rstrip("\r\n").split("\t")  # in tab-separated text a lone quote is a sign like others
                continue
            yield (
                line,
                f"Line {line} opens a quote that is never closed. Close it, or double the quotes inside the text.",
            )
        elif fields:
            yield line, fields


def _ragged(*, row: int, line: int, width: int, dialect: Dialect, text: str) -> Problem:
    expected = len(dialect.columns)
    where = "the header has" if dialect.has_header else "the other rows have"
    cause = "Quote the fields that hold the delimiter." if width > expected else "Add what is missing."
    detail = f"Row {row} (line {line}) has {width} fields where {where} {expected}. {cause}"
    return Problem(row, line, "ragged_row", detail, text)


def read_delimited(stream: TextIO, dialect: Dialect) -> Iterator[Record | Problem]:
    """Yield a Record or a Problem for every row that is not blank. ``stream`` must be opened with ``newline=""``."""
    lines = _Lines(stream)
    row = -dialect.skipped - int(dialect.has_header)
    for line, fields in _split(lines, dialect):
        if row >= 0:
            text = "".join(lines.current)[:SEEN_CHARACTERS].strip()
            if isinstance(fields, str):
                yield Problem(row, line, "bad_csv", fields, text)
            elif len(fields) != len(dialect.columns):
                yield _ragged(row=row, line=line, width=len(fields), dialect=dialect, text=text)
            else:
                yield Record(row, line, dict(zip(dialect.columns, fields, strict=True)))
        row += 1
