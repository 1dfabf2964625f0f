"""CSV and its kin as an iterator of records: line numbers, ragged rows, quotes that never close. Guesses nothing."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import TextIO

from datasets_app.curation.readers.dialect import Dialect, csv_reader
from datasets_app.curation.rows import Problem, Record

FIELD_BYTES = 100 * 1024 * 1024
LINE_CHARACTERS = 2 * FIELD_BYTES
RECOVERIES = 200
REREAD_CHARACTERS = 1 << 30
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
        line = self._returned.popleft() if self._returned else self._read()
        self.current.append(line)
        return line

    def _read(self) -> str:
        line = self._stream.readline(LINE_CHARACTERS)
        if not line:
            raise StopIteration
        if len(line) == LINE_CHARACTERS:
            while rest := self._stream.readline(LINE_CHARACTERS):
                if rest.endswith(("\n", "\r")):
                    break
            self.current.append(line[:SEEN_CHARACTERS])
            raise csv.Error(f"it is longer than {LINE_CHARACTERS:,} characters")
        return line.replace("\0", "\ufffd")

    def start_record(self) -> int:
        """Forget the record before; return the line number (from 1) at which the next one starts."""
        self.next_line += len(self.current)
        self.current = []
        return self.next_line

    def seen(self) -> str:
        """The beginning of the record at hand, as it stands in the file."""
        return "".join(line[:SEEN_CHARACTERS] for line in self.current[:20])[:SEEN_CHARACTERS].strip()

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
    recoveries = reread = 0
    reader = csv_reader(lines, dialect.splitting)
    while True:
        line, sentence = lines.start_record(), ""
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fields, sentence = [], f"Line {line} cannot be split into fields ({error}). Check its quotes."
        open_quote = dialect.quoting and (len(lines.current) > 1 if sentence else _quote_left_open(lines.current))
        if open_quote and recoveries < RECOVERIES and reread < REREAD_CHARACTERS:
            recoveries, reread = recoveries + 1, reread + sum(map(len, lines.current))
            first = lines.give_back_all_but_first()
            reader = csv_reader(lines, dialect.splitting)
            if dialect.delimiter == "\t":
                yield line, first.rstrip("\r\n").split("\t")  # in tab-separated text a lone quote is a sign like others
            else:
                yield line, f"Line {line} opens a quote that is never closed. Close it, or double the quotes inside."
        elif sentence:
            reader = csv_reader(lines, dialect.splitting)
            yield line, sentence
        elif fields:
            yield line, fields


def _without_empty_end(fields: list[str], width: int) -> list[str]:
    """Spreadsheets write empty cells behind the last column; they say nothing."""
    return fields[:width] if len(fields) > width and not any(fields[width:]) else fields


def _ragged(*, row: int, line: int, width: int, dialect: Dialect, text: str) -> Problem:
    expected = len(dialect.columns)
    where = "the header has" if dialect.has_header else "the other rows have"
    cause = "Quote the fields that hold the delimiter." if width > expected else "Add what is missing."
    detail = f"Row {row + 1:,} (line {line}) has {width} fields where {where} {expected}. {cause}"
    return Problem(row, line, "ragged_row", detail, text)


def _row(row: int, line: int, fields: list[str] | str, *, dialect: Dialect, lines: _Lines) -> Record | Problem:
    if isinstance(fields, str):
        return Problem(row, line, "bad_csv", fields, lines.seen())
    fields = _without_empty_end(fields, len(dialect.columns))
    if len(fields) != len(dialect.columns):
        return _ragged(row=row, line=line, width=len(fields), dialect=dialect, text=lines.seen())
    return Record(row, line, dict(zip(dialect.columns, fields, strict=True)))


def read_delimited(stream: TextIO, dialect: Dialect) -> Iterator[Record | Problem]:
    """Yield a Record or a Problem for every row that is not blank. ``stream`` must be opened with ``newline=""``."""
    lines = _Lines(stream)
    row = -dialect.skipped - int(dialect.has_header)
    for line, fields in _split(lines, dialect):
        if row >= 0:
            yield _row(row, line, fields, dialect=dialect, lines=lines)
        row += 1
