"""Personal data in a file, as findings with offsets. Changes nothing."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datasets_app.curation.pii.columns import typed_values
from datasets_app.curation.pii.finder import Finder, finder
from datasets_app.curation.pii.lists import Phrases
from datasets_app.curation.pii.overlaps import settle
from datasets_app.curation.pii.patterns import Span
from datasets_app.curation.readers.upload import opened
from datasets_app.curation.rows import Record

BATCH = 1024
EARLIER_TURNS = 8
OPEN_TALKS = 10_000  # conversations whose last turns are remembered; rows of one lie near each other


@dataclass(frozen=True, slots=True)
class Place:
    """A text with where it stands, the turns before it, oldest first, and what the record's columns tell by their names."""

    row: int
    field: str
    text: str
    earlier: tuple[str, ...] = ()
    told: Phrases | None = None

    def spans(self, found: list[Span]) -> list[Span]:
        """What was found in the text, and the values that a column named `ssn` or `phone` gives away."""
        return settle(self.text, [*found, *self.told.find(self.text, "column")]) if self.told else found


class Talks:
    """The last turns of each conversation, by the value of the column that tells them apart."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, deque[str]] = OrderedDict()

    def follow(self, talk: str, text: str) -> tuple[str, ...]:
        """The turns before `text`, which is then the last one."""
        turns = self._turns.setdefault(talk, deque(maxlen=EARLIER_TURNS))
        self._turns.move_to_end(talk)
        before = tuple(turns)
        turns.append(text)
        if len(self._turns) > OPEN_TALKS:
            self._turns.popitem(last=False)
        return before


def _texts(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _texts(item, f"{name}[{place}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{name}.{key}")


def _places(records: Iterable[object], field: str | None, group: str | None) -> Iterator[Place]:
    """Every text. Turns follow each other in a list within a record, or from row to row of one group."""
    rows = Talks()
    for record in records:
        if not isinstance(record, Record):
            continue
        talk = record.values.get(group) if group else None
        told = list(typed_values({name: value for name, value in record.values.items() if name != group}))
        phrases = Phrases(told) if told else None
        for name, value in record.values.items():
            if (field is not None and name != field) or name == group:
                continue
            if isinstance(value, str):
                earlier = rows.follow(f"{name}\n{talk}", value) if talk is not None else ()
                yield Place(record.row, name, value, earlier, phrases)
                continue
            turns = Talks()
            for where, text in _texts(value, name):
                yield Place(record.row, where, text, turns.follow(where.rpartition("]")[2], text), phrases)


def _records(path: Path) -> Iterator[Record]:
    """Records of a file; those of an archive's or a workbook's parts are numbered on from one part to the next."""
    with opened(path) as upload:
        before = 0
        for source in upload.sources:
            count = 0
            for found in source.records():
                count = found.row + 1
                if isinstance(found, Record):
                    yield replace(found, row=before + found.row)
            before += count


def _batches(places: Iterator[Place]) -> Iterator[list[Place]]:
    batch: list[Place] = []
    for place in places:
        batch.append(place)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def scan(
    path: Path, *, field: str | None = None, group: str | None = None, using: Finder | None = None
) -> Iterator[dict[str, Any]]:
    """`{row, field, start, end, entity_type, score}`: characters `start` to `end` (exclusive) of that field.

    `group` names the column that tells conversations apart; their rows lie in turn order, and earlier turns help to
    judge later ones. A group column itself is not looked at. The name of a column tells what its values are, there and
    wherever else they stand in the record.
    """
    found_by = using or finder(names=True)
    for batch in _batches(_places(_records(path), field, group)):
        found = found_by.find([place.text for place in batch], [place.earlier for place in batch])
        for place, spans in zip(batch, found, strict=True):
            for span in place.spans(spans):
                yield {
                    "row": place.row,
                    "field": place.field,
                    "start": span.start,
                    "end": span.end,
                    "entity_type": span.entity_type,
                    "score": round(span.score, 3),
                }
