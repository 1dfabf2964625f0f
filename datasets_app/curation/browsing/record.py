"""One record of a file as it came, before any step. Reads the file up to it and keeps nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from datasets_app.curation.readers.upload import open_source
from datasets_app.curation.rows import Record

CELL_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class AsItCame:
    """A record: its line in the file where it has one, and its cells as text, cut at CELL_CHARACTERS."""

    line: int | None
    cells: tuple[tuple[str, str], ...]


def record_of(path: Path, row: int) -> AsItCame | None:
    """The record with this 0-based number, or None where the file has none. Raises Refusal for an unreadable file."""
    found = next(islice((each for each in open_source(path).records() if each.row == row), 1), None)
    if found is None:
        return None
    if isinstance(found, Record):
        return AsItCame(found.line, tuple((str(name), _text(value)) for name, value in found.values.items()))
    return AsItCame(found.line, (("", found.text[:CELL_CHARACTERS]),))


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str, indent=1)
    return text[:CELL_CHARACTERS]
