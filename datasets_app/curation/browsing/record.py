"""One record of a file as it came, before any step. Reads the file up to it and keeps nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from datasets_app.curation.readers.upload import Readings, opened
from datasets_app.curation.rows import Record

CELL_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class AsItCame:
    """A record: its line in the file where it has one, and its cells as text, cut at CELL_CHARACTERS."""

    line: int | None
    cells: tuple[tuple[str, str], ...]


def record_of(path: Path, *, name: str, row: int, readings: Readings) -> AsItCame | None:
    """The record with this 0-based number in the source of this name (the file, a member of it, a sheet).

    None where there is none such. Raises Refusal for a file that cannot be read.
    """
    with opened(path, readings) as upload:
        for source in upload.sources:
            if source.name == name:
                found = next((each for each in source.records() if each.row == row), None)
                if found is None:
                    return None
                if isinstance(found, Record):
                    return AsItCame(found.line, tuple((str(key), _text(value)) for key, value in found.values.items()))
                return AsItCame(found.line, (("", found.text[:CELL_CHARACTERS]),))
    return None


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str, indent=1)
    return text[:CELL_CHARACTERS]
