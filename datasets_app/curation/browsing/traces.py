"""Where a phrase stands: in the records of an upload as they came, and in the rows of a frozen version. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from datasets_app.curation.browsing.database import database
from datasets_app.curation.browsing.index import SEARCHED, index_of
from datasets_app.curation.browsing.rows import Place, rows_at
from datasets_app.curation.erasure import Phrase, texts_in
from datasets_app.curation.errors import Refusal
from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.placing import mark_of
from datasets_app.curation.readers.source import Source
from datasets_app.curation.readers.upload import Readings, opened
from datasets_app.curation.recipe import Recipe
from datasets_app.curation.records import mapping_of
from datasets_app.curation.rows import Record
from datasets_app.curation.turns import JOINED, joined

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
                if any(map(phrase.is_in, texts_in(list(cells)))):
                    yield source.name, each.row


def marks_of(
    path: Path, readings: Readings, records: Mapping[str, Collection[int]], keys: Keys
) -> dict[str, dict[int, str]]:
    """A digest of the cells of each of these records, by source; of those before the place where a file breaks off."""
    found: dict[str, dict[int, str]] = {}
    with suppress(Refusal), opened(path, readings) as upload:
        for source in upload.sources:
            wanted = set(records.get(source.name, ()))
            own = found[source.name] = {}
            with suppress(Refusal):
                own.update((each.row, mark_of(each, keys)) for each in source.records() if each.row in wanted)
    return found


@dataclass(slots=True)
class Descent:
    """What records of a source became: `rows` by the numbers that versions give them, and `whole`, those of the records
    of which every row is meant."""

    rows: list[int] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)


def descent(
    path: Path, recipe: Recipe, records: Mapping[str, Collection[int]], phrase: Phrase | None
) -> dict[str, Descent]:
    """The rows that come of records of a file, by source, as this recipe joins them.

    Of an article of questions (SQuAD), of which each row holds all that it came from, only the rows that say the phrase
    are meant. Reads the whole file where records are joined. Raises Refusal for a file that cannot be read.
    """
    with opened(path, recipe.readings) as upload:
        return {
            source.name: _descent(source, recipe, set(records[source.name]), phrase)
            for source in upload.sources
            if records.get(source.name)
        }


def _descent(source: Source, recipe: Recipe, wanted: set[int], phrase: Phrase | None) -> Descent:
    mapping = mapping_of(recipe, source)
    if mapping.layout not in JOINED:
        return Descent(sorted(wanted), sorted(wanted))
    by_row = phrase if mapping.layout == "squad" else None
    rows, spared = list[int](), set[int]()
    with suppress(Refusal):  # where a file breaks off, versions have the rows before
        for each in joined(source.records(), mapping)[0]:
            if not isinstance(each, Record) or wanted.isdisjoint(each.records):
                continue
            if by_row and not any(map(by_row.is_in, texts_in(each.values))):
                spared.update(each.records)
            else:
                rows.append(each.row)
    return Descent(rows, sorted(wanted - spared))


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


def rows_from(folder: Path, rows: Mapping[str, Sequence[int]]) -> list[Place]:
    """Places of the rows of a version that have these numbers in it, by the file's name in the version."""
    pairs = [(name, row) for name, numbers in rows.items() for row in numbers]
    given = [str(index_of(folder)), [name for name, _ in pairs], [row for _, row in pairs]]
    with database() as connection:
        found: list[Place] = connection.execute(_FROM, given).fetchall()
    return found
