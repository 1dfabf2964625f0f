"""What a row of a version was made from, as it came, before any step. Reads the file up to it and keeps nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from datasets_app.curation.readers.source import Source
from datasets_app.curation.readers.upload import opened
from datasets_app.curation.recipe import Recipe
from datasets_app.curation.records import mapping_of
from datasets_app.curation.rows import Problem, Record
from datasets_app.curation.turns import JOINED, joined

CELL_CHARACTERS = 20_000
MOST_RECORDS = 100  # of a row that was joined from many


@dataclass(frozen=True, slots=True)
class AsItCame:
    """A record: its line in the file where it has one, and its cells as text, cut at CELL_CHARACTERS."""

    line: int | None
    cells: tuple[tuple[str, str], ...]


def records_behind(path: Path, *, name: str, row: int, recipe: Recipe) -> list[AsItCame]:
    """The records of the row with this 0-based number in the source of this name (the file, a member of it, a sheet), as
    the recipe joins them: one for a row of its own, each turn or post for a conversation, up to MOST_RECORDS.

    None of them where there is no such row. Raises Refusal for a file that cannot be read.
    """
    with opened(path, recipe.readings) as upload:
        for source in upload.sources:
            if source.name == name:
                return _behind(source, row, recipe)
    return []


def _behind(source: Source, row: int, recipe: Recipe) -> list[AsItCame]:
    mapping = mapping_of(recipe, source)
    is_joined = mapping.layout in JOINED
    found = (each for each in joined(source.records(), mapping)[0] if isinstance(each, Record) or not is_joined)
    own = next((each for each in found if each.row == row), None)
    if own is None:
        return []
    if not is_joined or mapping.layout == "squad":  # the record of a question is its whole article
        return [_as_it_came(own)]
    wanted = own.records[:MOST_RECORDS]
    known: dict[int, AsItCame] = {}
    for each in source.records():
        if each.row in wanted:
            known[each.row] = _as_it_came(each)
        if len(known) == len(wanted):
            break
    return [known[number] for number in wanted]


def _as_it_came(found: Record | Problem) -> AsItCame:
    if isinstance(found, Record):
        return AsItCame(found.line, tuple((str(key), _text(value)) for key, value in found.values.items()))
    return AsItCame(found.line, (("", found.text[:CELL_CHARACTERS]),))


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str, indent=1)
    return text[:CELL_CHARACTERS]
