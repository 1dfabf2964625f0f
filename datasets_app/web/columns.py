"""Columns and the parts they play: choices for people, a form's answer to a mapping, the first rows seen through it.

It looks at what detection kept of a file, never at the file itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from datasets_app.curation.errors import Refusal
from datasets_app.curation.layouts import NO_ANSWER_COLUMN, ColumnMap, mapping_from_json
from datasets_app.curation.mapping import map_record
from datasets_app.curation.rows import Conversation, Problem, Record, Rejection
from datasets_app.curation.turns import joined
from gptstudio.core.errors import Invalid

PARTS = {
    "prompt": ("Question or text", "What a person asks or says. The model reads it."),
    "completion": ("Answer", "What the model should learn to say."),
    "rejected": ("Worse answer", "Another answer, which people liked less: the model learns to prefer the first."),
    "label": ("Label", "The class of the row, such as “refund”. Learnt where no answer is named; used for balance."),
    "messages": ("Whole conversation", "A list of turns in one cell, each with a role and a text."),
    "context": ("Context", "Put after the question: a document, an order, a note."),
    "system": ("Instructions to the model", "Said to the model before the conversation begins."),
    "tools": ("Tools", "The functions that the assistant may call, a list a row: put into its system prompt."),
    "conversation": ("Conversation number", "Which rows are turns of one conversation."),
    "speaker": ("Speaker", "Who says the turn: customer, agent."),
    "id": ("Number of the post", "What replies point to, in a thread of posts."),
    "parent": ("Replies to", "The number of the post that this one answers."),
    "turn": ("Order of turns", "A number or a time that the turns are sorted by."),
    "group": ("Belongs together", "Rows with the same value stay in one split: a customer, a case, a document."),
    "split": ("Split", "Says train, validation or test, and is kept to."),
}
KNOWN = tuple(name for name in PARTS if name in {part.name for part in fields(ColumnMap)})
MANY = frozenset({"group"})
SHOWN_COLUMNS = 60
NO_ANSWER = "There is no question with its answer yet. Name a question or text and an answer or a label, or a whole conversation."
SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Column:
    """One column as the editor shows it: its number is its name in the form."""

    number: int
    name: str
    part: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One of the first rows: a conversation, or why it is none. `number` counts from 1, as people do."""

    number: int
    conversation: Conversation | None
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows through a mapping. `fault` is a sentence where the mapping cannot be used at all."""

    seen: tuple[Seen, ...] = ()
    fault: str = ""

    @property
    def kept(self) -> int:
        return sum(each.conversation is not None for each in self.seen)

    @property
    def refused(self) -> int:
        return len(self.seen) - self.kept


def choices() -> list[tuple[str, str]]:
    """What a column may be, in the order in which people think of it."""
    return [("", "Not used"), *[(name, PARTS[name][0]) for name in KNOWN]]


def columns_of(detection: Mapping[str, Any], mapping: Mapping[str, Any]) -> tuple[list[Column], int]:
    """The file's columns with what they are used as, those in use first beyond SHOWN_COLUMNS; and how many are hidden."""
    parts = {str(name): part for part, value in mapping.items() if part in KNOWN for name in _names(value)}
    rows = detection.get("preview", [])
    found = [
        Column(number, str(name), parts.get(str(name), ""), _samples(rows, str(name)))
        for number, name in enumerate(detection.get("columns", []))
    ]
    shown = [column for column in found if column.part or column.number < SHOWN_COLUMNS]
    return shown, len(found) - len(shown)


def _names(value: object) -> list[object]:
    return value if isinstance(value, list) else [value] if value else []


def _samples(rows: Sequence[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    values = (_text(row.get(name)) for row in rows)
    return tuple(dict.fromkeys(value for value in values if value))[:SAMPLES]


def _text(value: object) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"{len(value)} fields: {', '.join(map(str, value))}"
    return "" if value is None else " ".join(str(value).split())[:120]


def in_use(chosen: Mapping[str, Any] | None, detection: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """The mapping that this file is read with, and whether a person chose it: theirs where all its columns are here."""
    if chosen:
        needed = [
            name for part, value in chosen.items() if part in KNOWN and part not in MANY for name in _names(value)
        ]
        if set(map(str, needed)) <= set(map(str, detection.get("columns", []))):
            return chosen, True
    return detection.get("mapping") or {}, False


def mapping_from_form(detection: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any] | None:
    """`{"column-0": "prompt", …}` as a mapping; None when no column is used. Invalid names the part given twice."""
    found: dict[str, Any] = {}
    for number, name in enumerate(detection.get("columns", [])):
        part = given.get(f"column-{number}", "")
        if part not in KNOWN:
            continue
        if part in MANY:
            found.setdefault(part, []).append(name)
        elif part in found:
            title = PARTS[part][0].lower()
            raise Invalid(f"Two columns are named as {title}: “{found[part]}” and “{name}”.", fix="Keep one of them.")
        else:
            found[part] = name
    guessed = detection.get("mapping") or {}
    if guessed.get("layout") and found == {part: value for part, value in guessed.items() if part in KNOWN and value}:
        return {**found, "layout": guessed["layout"]}  # told by what is inside the records; nobody changed a column
    return found or None


def usable_mapping(detection: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """The same, or Invalid where it names no question with its answer."""
    found = mapping_from_form(detection, given)
    if fault := preview(detection, found).fault:
        raise Invalid(fault)
    return found or {}


def as_said(detection: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """What a form says of each part, for showing it again: a part that was given twice has several columns."""
    found: dict[str, Any] = {}
    for number, name in enumerate(detection.get("columns", [])):
        if (part := given.get(f"column-{number}", "")) in KNOWN:
            found.setdefault(part, []).append(name)
    return found


def open_findings(detection: Mapping[str, Any], *, is_chosen: bool) -> list[dict[str, Any]]:
    """What detection has to tell; once a person said what the columns are, not that nobody knows."""
    findings = detection.get("findings", [])
    return [each for each in findings if not (is_chosen and each["message"] == NO_ANSWER_COLUMN)]


def preview(detection: Mapping[str, Any], mapping: Mapping[str, Any] | None, *, system_prompt: str = "") -> Preview:
    """The first rows of a file as the model would get them before any step."""
    if not mapping:
        return Preview(fault="No column is used yet. Say which one holds the question and which one the answer.")
    try:
        chosen = mapping_from_json({part: value for part, value in mapping.items() if value})
    except Refusal:
        return Preview(fault=NO_ANSWER)
    return Preview(tuple(_seen(detection.get("preview", []), chosen, system_prompt)))


def _seen(rows: Sequence[Mapping[str, Any]], mapping: ColumnMap, system_prompt: str) -> Iterator[Seen]:
    given: Iterator[Record | Problem] = (Record(number, None, values) for number, values in enumerate(rows))
    records, mapping = joined(given, mapping)
    for record in records:
        if isinstance(record, Problem):
            continue
        found = map_record(record, mapping, system_prompt=system_prompt)
        text = " · ".join(part for value in record.values.values() if (part := _text(value)))[:200]
        if isinstance(found, Rejection):
            yield Seen(record.row + 1, None, found.detail, text)
        else:
            yield Seen(record.row + 1, found, "", text)
