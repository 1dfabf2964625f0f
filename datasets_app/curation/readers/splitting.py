"""Lines to fields, for the reader and for the guess of a layout alike: quotes that never close, lines without end."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

FIELD_BYTES = 100 * 1024 * 1024
LINE_CHARACTERS = 2 * FIELD_BYTES
RECOVERIES = 200
REREAD_CHARACTERS = 1 << 30
SEEN_CHARACTERS = 2000

csv.field_size_limit(FIELD_BYTES)


@dataclass(frozen=True, slots=True)
class Splitting:
    """How a line falls into fields."""

    delimiter: str
    quoting: bool = True
    skip_space: bool = False
    escape: str | None = None


def csv_reader(lines: Iterable[str], splitting: Splitting, *, strict: bool = False) -> Iterator[list[str]]:
    """The `csv` reader for this splitting. ``strict``: it raises csv.Error where a quoted field goes on behind its end."""
    return csv.reader(
        lines,
        delimiter=splitting.delimiter,
        quoting=csv.QUOTE_MINIMAL if splitting.quoting else csv.QUOTE_NONE,
        skipinitialspace=splitting.skip_space,
        escapechar=splitting.escape,
        strict=strict,
    )


class Lines:
    """The lines of a file for ``csv``, remembering those of the record at hand so that they can be given back."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._returned: deque[str] = deque()
        self.current: list[str] = []
        self.next_line = 1
        self.is_at_end = False

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else self._read()
        self.current.append(line)
        return line

    def _read(self) -> str:
        line = self._stream.readline(LINE_CHARACTERS)
        if not line:
            self.is_at_end = True
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


def _is_left_open(lines: Sequence[str], splitting: Splitting, width: int) -> bool:
    """Whether a record of ``width`` fields over several lines is none: a quote was left open, and another one closed it.

    What stands behind the closing quote gives it away, and that a line which was swallowed is a row by itself: in texts
    whose inner quotes were not doubled it is not.
    """
    if len(lines) == 1:
        return False
    if sum(line.count('"') for line in lines) % 2:
        return True
    return not _is_strict(lines, splitting) and any(_width(line, splitting) == width for line in lines[1:])


def _is_strict(lines: Sequence[str], splitting: Splitting) -> bool:
    """Whether each closing quote of a record ends its field. Spaces behind it are no fault."""
    spaces = re.compile(rf'" +(?={re.escape(splitting.delimiter)}|[\r\n]|$)')
    try:
        next(csv_reader((spaces.sub('"', line) for line in lines), splitting, strict=True))
    except csv.Error:
        return False
    return True


def _width(line: str, splitting: Splitting) -> int:
    """How many fields a line has by itself, a quote that is left open in it taken for a sign like others."""
    try:
        fields = next(csv_reader([line], splitting))
    except csv.Error:
        return 0
    return len(fields) + (fields[-1].count(splitting.delimiter) if line.count('"') % 2 else 0)


def split(lines: Lines, splitting: Splitting, *, is_sample: bool = False) -> Iterator[tuple[int, list[str] | str]]:
    """Yield (line, fields) of each row that is not blank, or (line, sentence) where the row cannot be split.

    ``is_sample``: the lines may end within a long field, so a quote that is open at their end is no fault.
    """
    recoveries = reread = 0
    reader = csv_reader(lines, splitting)
    while True:
        line, sentence = lines.start_record(), ""
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fields, sentence = [], f"Line {line} cannot be split into fields ({error}). Check its quotes."
        open_quote = splitting.quoting and (
            len(lines.current) > 1 if sentence else _is_left_open(lines.current, splitting, len(fields))
        )
        if open_quote and is_sample and lines.is_at_end:
            open_quote = False
        if open_quote and recoveries < RECOVERIES and reread < REREAD_CHARACTERS:
            recoveries, reread = recoveries + 1, reread + sum(map(len, lines.current))
            first = lines.give_back_all_but_first()
            reader = csv_reader(lines, splitting)
            if splitting.delimiter == "\t":
                yield line, first.rstrip("\r\n").split("\t")  # in tab-separated text a lone quote is a sign like others
            else:
                yield line, f"Line {line} opens a quote that is never closed. Close it, or double the quotes inside."
        elif sentence:
            reader = csv_reader(lines, splitting)
            yield line, sentence
        elif fields:
            yield line, fields
