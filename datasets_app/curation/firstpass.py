"""Records to cleaned conversations, a chunk at a time: map, then every per-row step of the recipe in its order.

Pure: what a chunk becomes depends on the recipe and the chunk alone, so chunks may run in any process. Knows no file,
no ledger and no other chunk.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from importlib import import_module
from typing import Any

from datasets_app.curation.cleaning.changes import cut_to_change
from datasets_app.curation.dedupe import Sketch, exact_key, greeting, opening, sketch
from datasets_app.curation.kinds import BY_NAME
from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.mapping import label_of, map_record
from datasets_app.curation.pii.columns import spoken, typed_values
from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.pii.lists import Values
from datasets_app.curation.placing import mark_of
from datasets_app.curation.recipe import Recipe, Step
from datasets_app.curation.rows import Conversation, Problem, Record, Rejection
from datasets_app.curation.steps import Candidate, Known, Outcome, RowStep
from datasets_app.curation.steps.edits import Edits, erased
from datasets_app.curation.tally import EXAMPLE_CHARACTERS, UNANSWERED, UNANSWERED_ROWS, Example, Tally
from datasets_app.curation.templates import frames

NO_ANSWER = Rejection("no_answer_column", "No column holds an answer to learn. Say which columns to use.")
EMPTY = Rejection("empty", "Nothing is left of the question or the answer once it is tidied.")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records that follow each other in one file, and which of their columns means what."""

    file: str
    mapping: ColumnMap
    records: tuple[Record | Problem, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A row that came through. `key`: equal for exact copies; `links`: rows with a common one
    belong in one split. `greeting`: equal where users begin with the same word or two, and None elsewhere. `sketch`: for
    near copies, where they are looked for. `record`: a digest of its record as it came."""

    row: int
    line: int | None
    conversation: Conversation
    key: bytes
    links: tuple[int, ...]
    greeting: int | None
    sketch: Sketch | None
    record: str = ""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row that did not, with the step, the reason, its text as it came, and what of it is known to be personal."""

    row: int
    line: int | None
    step: str
    why: Rejection
    text: str
    personal: Values = ()


@dataclass(slots=True)
class Passed:
    """What became of a chunk: one outcome a record, in order; traces of the personal data that was found in it."""

    outcomes: list[Kept | Dropped] = field(default_factory=list)
    traces: list[dict[str, Any]] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)


def built(step: Step, known: Known) -> RowStep | None:
    """The per-row step of a kind with its options; None where the kind does not run row by row."""
    module, _, name = BY_NAME[step.kind].step.partition(":")
    if not module:
        return None
    made = getattr(import_module(module), name)(step.options, known)
    assert isinstance(made, RowStep)  # noqa: S101 - the table says so
    return made


class FirstPass:
    """Builds the per-row steps of a recipe once, then takes chunks."""

    def __init__(self, recipe: Recipe, known: Known) -> None:
        self.recipe, self.keys = recipe, Keys(known.secret)
        self.steps = [(step.kind, made) for step in recipe.steps if (made := built(step, known)) is not None]
        self.edits = next((made for _, made in self.steps if isinstance(made, Edits)), None)
        self.near = recipe.step("near_duplicates") is not None
        self.hides = recipe.step("personal_data") is not None
        split = recipe.step("split")
        self.openings = split is not None and bool(split.options["openings"])

    def run(self, chunk: Chunk) -> Passed:
        """One outcome for each record."""
        passed = Passed()
        rows = [self._mapped(record, chunk) for record in chunk.records]
        passed.tally.counts["map"].update(_unanswered(rows))
        before = [row.conversation if isinstance(row, Candidate) else None for row in rows]
        hidden: dict[int, Values] = {}
        for kind, step in self.steps:
            start = time.perf_counter()
            rows = self._stepped(kind, step, rows, passed.tally)
            passed.traces += step.taken()
            hidden |= step.hid()
            passed.tally.seconds[kind] += time.perf_counter() - start
        for at, was, row in zip(chunk.records, before, rows, strict=True):
            if isinstance(row, Candidate) and was is not None and row.conversation != was:
                passed.tally.note_row(_example(row, was, row.conversation, hides=row.is_hidden))
            passed.outcomes.append(
                self._kept(row, was) if isinstance(row, Candidate) else self._left_out(at, row, chunk, hidden)
            )
        records = {at.row: at for at in chunk.records}
        passed.tally.know(lambda row: self._personal(records[row], chunk.mapping, hidden))
        return passed

    def _personal(self, at: Record | Problem, mapping: ColumnMap, hidden: Mapping[int, Values]) -> Values:
        """What of a record is known to be personal: what was hidden in its turns, and what its columns say, for a step may
        have left it out before."""
        if not self.hides or isinstance(at, Problem):
            return ()
        return (*hidden.get(at.row, ()), *typed_values(spoken(at.values, mapping)))

    def _left_out(self, at: Record | Problem, row: Dropped, chunk: Chunk, hidden: Mapping[int, Values]) -> Dropped:
        """A row that was left out, without a word of it where somebody asked that it be erased."""
        if self.edits and self.edits.hides(chunk.file, at, f"{row.text}\n{row.why.detail}"):
            return replace(row, text="", why=erased(row.why))
        return replace(row, personal=self._personal(at, chunk.mapping, hidden))

    def _mapped(self, at: Record | Problem, chunk: Chunk) -> Dropped | Candidate:
        if isinstance(at, Problem):
            return Dropped(at.row, at.line, "read", Rejection(at.reason, at.detail), at.text)
        found = NO_ANSWER if chunk.mapping.layout in ("text", "unknown") else self._conversation(at, chunk.mapping)
        if isinstance(found, Rejection):
            text = " ".join(str(value) for value in at.values.values() if value)
            return Dropped(at.row, at.line, "map", found, text)
        return Candidate(chunk.file, found, at, chunk.mapping)

    def _conversation(self, at: Record, mapping: ColumnMap) -> Conversation | Rejection:
        return map_record(at, mapping, system_prompt=self.recipe.system_prompt)

    def _stepped(
        self, kind: str, step: RowStep, rows: list[Dropped | Candidate], tally: Tally
    ) -> list[Dropped | Candidate]:
        waiting = [row for row in rows if isinstance(row, Candidate)]
        outcomes = iter(step.run(waiting, tally.counts[kind]) if waiting else [])
        return [_after(kind, row, next(outcomes), tally) if isinstance(row, Candidate) else row for row in rows]

    def _kept(self, row: Candidate, was: Conversation | None) -> Kept:
        found, ties = row.conversation, [*row.conversation.groups]
        if self.openings:  # as it came, too: a mask may take a word of the frame with it
            ties += dict.fromkeys([opening(found), *frames(found), *(frames(was) if was else [])])
        said = greeting(found) if self.openings else None
        return Kept(
            row.record.row,
            row.record.line,
            found,
            key=exact_key(found.text()),
            links=tuple(map(_link, ties)),
            greeting=_link(said) if said is not None else None,
            sketch=sketch(found) if self.near else None,
            record=mark_of(row.record, self.keys),
        )


def _after(kind: str, row: Candidate, outcome: Outcome, tally: Tally) -> Dropped | Candidate:
    """The row after one step: gone, as it was, or changed and noted."""
    if isinstance(outcome, Conversation):
        if outcome == row.conversation:
            return row
        if not _is_empty(outcome):
            outcome = _labelled(outcome)
            hides = kind == "personal_data"
            tally.note_step(kind, _example(row, row.conversation, outcome, hides=hides))
            return replace(row, conversation=outcome, is_hidden=row.is_hidden or hides)
        outcome = EMPTY
    return Dropped(row.record.row, row.record.line, kind, outcome, row.conversation.text())


def _labelled(found: Conversation) -> Conversation:
    """The label is the answer as it stands now, where it was the answer as it came."""
    return replace(found, label=label_of(found.messages[-1]["content"])) if found.answer_is_label else found


def _unanswered(rows: Sequence[Dropped | Candidate]) -> dict[str, int]:
    """How many turns that nobody answered were cut off, and of how many rows."""
    cut = [row.conversation.unanswered for row in rows if isinstance(row, Candidate) and row.conversation.unanswered]
    return {UNANSWERED: sum(cut), UNANSWERED_ROWS: len(cut)} if cut else {}


def _link(tie: str) -> int:
    """64 bits that equal texts share."""
    return int.from_bytes(blake2b(tie.encode("utf-8", "backslashreplace"), digest_size=8).digest(), "big")


def _is_empty(found: Conversation) -> bool:
    questions = (each["content"].strip() for each in found.messages if each["role"] == "user")
    return not found.messages[-1]["content"].strip() or not any(questions)


def _example(row: Candidate, before: Conversation, after: Conversation, *, hides: bool) -> Example:
    texts = cut_to_change(before.text(), after.text(), EXAMPLE_CHARACTERS)
    return Example(row.file, row.record.row, *texts, hides=hides)
