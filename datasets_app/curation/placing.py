"""Where records are that people edited or had erased, when a file is read in another way than it was then.

Numbers of rows shift with the line of the header or the columns; a keyed digest of the cells does not. An entry whose
digest stands at its number stays; else it goes to where the digest is; where that is nowhere the run is refused, for what
was erased must not come back and what was corrected must not go to somebody else's row. Entries without a digest stay,
but are refused in a table whose header was guessed otherwise when there were none.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from datasets_app.curation.errors import Refusal
from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.readers.source import Source
from datasets_app.curation.recipe import Recipe, Step
from datasets_app.curation.records import records_of
from datasets_app.curation.rows import Problem, Record

KIND = "RECORD"
Entry = Mapping[str, Any]
Records = Callable[[], Iterator[Record | Problem]]


def mark_of(found: Record | Problem, keys: Keys) -> str:
    """A digest of a record's cells in their order, whatever their columns are called."""
    cells = [found.text] if isinstance(found, Problem) else list(found.values.values())
    return keys.of_value(KIND, json.dumps(cells, default=str))


def placed(recipe: Recipe, sources: Sequence[Source], keys: Keys) -> dict[str, Any] | None:
    """The options of the step `edits` with the numbers that its records have now; None where it has no digests.

    Reads the files that have some once more. Raises Refusal where a record is not there any more, or may be another.
    """
    step = recipe.step("edits")
    rows, erased = (_entries(step, name) for name in ("rows", "erased"))
    for source in sources:
        if source.table and source.table.was_other:
            _check_marked(rows, source, "row")
            _check_marked(erased, source, "record")
    if step is None or not any("mark" in entry for entry in (*rows, *erased)):
        return None
    for source in sources:
        rows = _moved(rows, source, "row", partial(_joined, recipe, source), keys)
        erased = _moved(erased, source, "record", source.records, keys)
    return {**step.options, "rows": rows, "erased": erased}


def _check_marked(entries: list[Entry], source: Source, number: str) -> None:
    for entry in entries:
        if entry.get("file") == source.name and number in entry and "mark" not in entry:
            raise Refusal(
                code="row_not_found",
                message=f"Row {entry[number] + 1:,} of {source.name} was changed, left out or erased when it was "
                "guessed otherwise whether the first line is a header, so it may be another row now.",
                fix="Say in the file's reading in which line its header stands, or that it has none.",
            )


def _entries(step: Step | None, name: str) -> list[Entry]:
    found = step.options[name] if step else []
    return list(found) if isinstance(found, list) else []


def _joined(recipe: Recipe, source: Source) -> Iterator[Record | Problem]:
    return records_of(recipe, source)[0]


def _moved(entries: list[Entry], source: Source, number: str, records: Records, keys: Keys) -> list[Entry]:
    """The entries, of which those of this source have the number under `number` that they have now."""
    wanted = {entry["mark"] for entry in entries if _is_marked(entry, source)}
    if not wanted:
        return entries
    places = _places(records(), wanted, keys)
    found: list[Entry] = []
    for entry in entries:
        there = places.get(entry["mark"], []) if _is_marked(entry, source) else [entry.get(number)]
        if entry.get(number) in there:
            found.append(entry)
        elif not there:
            raise _gone(source.name, entry, number)
        elif number == "record":  # who says the same is meant, too
            found += [{**entry, number: at} for at in there]
        else:
            was = entry[number]
            found.append({**entry, number: min(there, key=lambda at, was=was: abs(at - was))})
    return found


def _is_marked(entry: Entry, source: Source) -> bool:
    return entry.get("file") == source.name and "mark" in entry


def _places(records: Iterator[Record | Problem], wanted: set[str], keys: Keys) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    with suppress(Refusal):  # the first pass meets it again and says so
        for each in records:
            if (mark := mark_of(each, keys)) in wanted:
                found[mark].append(each.row)
    return found


def _gone(file: str, entry: Entry, number: str) -> Refusal:
    was = "erased" if number == "record" or entry.get("erase") else "changed or left out by hand"
    return Refusal(
        code="row_not_found",
        message=f"Row {entry[number] + 1:,} of {file} was {was}, and as the file is read now no row says what it said.",
        fix="Read the file as it was read then, with the same columns; or make the version from another file.",
    )
