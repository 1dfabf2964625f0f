"""JSON Lines: one object a line. A line that is not JSON is a problem with its number, never the end of reading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from datasets_app.curation.readers.jsontext import parse_record
from datasets_app.curation.rows import Problem, Record

LINE_CHARACTERS = 100 * 1024 * 1024


def read_json_lines(stream: TextIO) -> Iterator[Record | Problem]:
    """Yield a Record or a Problem for every line that is not blank."""
    row, line = 0, 0
    while text := stream.readline(LINE_CHARACTERS):
        line += 1
        if text.strip():
            yield parse_record(text, row=row, line=line)
            row += 1
