"""A JSON array of objects, one element at a time: memory holds one, and a broken one does not end the reading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

from datasets_app.curation.readers.jsontext import parse_record
from datasets_app.curation.rows import Problem, Record

CHUNK_CHARACTERS = 1 << 18
ELEMENT_CHARACTERS = 100 * 1024 * 1024
_MARKS = re.compile(r'[\[\]{}",\\]')


@dataclass(slots=True)
class _Scanner:
    """Finds where elements end: depth of brackets, outside of strings. Depth 1 is inside the outer array."""

    depth: int = 0
    in_string: bool = False
    escaped: int = -1
    parts: list[str] = field(default_factory=list)
    size: int = 0
    closed: bool = False

    def feed(self, chunk: str) -> Iterator[str]:
        """Yield the text of every element that ends within ``chunk``; the rest is kept for the next one."""
        start = 0
        for match in _MARKS.finditer(chunk):
            position = match.start()
            if self.closed or not self._is_end(chunk[position], position):
                if self.depth == 1 and chunk[position] == "[" and not self.parts and not chunk[start:position].strip():
                    start = position + 1
                continue
            yield self._take(chunk[start:position])
            start = position + 1
        self.escaped -= len(chunk)
        self._keep(chunk[start:])

    def _is_end(self, mark: str, position: int) -> bool:
        if self.in_string:
            if mark == "\\" and self.escaped != position:
                self.escaped = position + 1
            elif mark == '"' and self.escaped != position:
                self.in_string = False
            return False
        if mark == '"':
            self.in_string = True
        elif mark in "[{":
            self.depth += 1
        elif mark in "]}":
            self.depth -= 1
            self.closed = self.depth == 0
            return self.closed
        return mark == "," and self.depth == 1

    def _keep(self, text: str) -> None:
        if self.size < ELEMENT_CHARACTERS:
            self.parts.append(text)
            self.size += len(text)

    def _take(self, tail: str) -> str:
        self._keep(tail)
        text = "".join(self.parts)
        self.parts, self.size = [], 0
        return text


def read_json_array(stream: TextIO) -> Iterator[Record | Problem]:
    """Yield a Record or a Problem for every element of the array that ``stream`` holds."""
    scanner = _Scanner()
    row, line = 0, 1
    while chunk := stream.read(CHUNK_CHARACTERS):
        for text in scanner.feed(chunk):
            if text.strip() or not scanner.closed or row:
                yield parse_record(text.strip(), row=row, line=line + _lines_before(text))
                row += 1
            line += text.count("\n")
    rest = "".join(scanner.parts)
    if not scanner.closed or rest.strip():
        yield _unfinished(rest.strip(), row=row, line=line + _lines_before(rest), closed=scanner.closed)


def _lines_before(text: str) -> int:
    """How many lines end before the text begins."""
    return text[: len(text) - len(text.lstrip())].count("\n")


def _unfinished(rest: str, *, row: int, line: int, closed: bool) -> Problem:
    if closed:
        detail = f"Text follows the end of the list near line {line}; it was not read. Take it out."
    else:
        detail = f"The list is cut off at row {row + 1:,} (near line {line}): its closing bracket is missing."
    return Problem(row, line, "bad_json", detail, rest[:2000])
