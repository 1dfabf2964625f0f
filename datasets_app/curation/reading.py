"""First pass over files: chunks of records out to the workers, rows back in order, exact copies left out.

Knows no splits. Chunks are cut by what is in the file alone, so the number of processes changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from datasets_app.curation.cleaning.changes import Range, changed_ranges
from datasets_app.curation.errors import Refusal
from datasets_app.curation.findings import Findings
from datasets_app.curation.firstpass import Chunk, Dropped, Kept, Passed
from datasets_app.curation.grouping import Given
from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.ledger import Losses
from datasets_app.curation.pii.hider import Hider
from datasets_app.curation.pii.lists import Values
from datasets_app.curation.pii.masking import veil_ranges
from datasets_app.curation.readers.source import Source
from datasets_app.curation.recipe import Recipe
from datasets_app.curation.records import records_of
from datasets_app.curation.rows import Finding, Problem, Record, Rejection
from datasets_app.curation.splits import TRAIN
from datasets_app.curation.tally import Example, Tally
from datasets_app.curation.workers import Workers

CHUNK_RECORDS = 500
CHUNK_CHARACTERS = 1 << 22
COPY = Rejection("exact_duplicate", "An earlier row says the same, apart from case, spaces and punctuation.")


@dataclass(slots=True)
class Row:
    """A row that came through the first pass, with where it came from."""

    row_id: int
    file: str
    kept: Kept

    def stored(self) -> dict[str, Any]:
        """The row as it lies on disk between the passes."""
        return {
            "row_id": self.row_id,
            "file": self.file,
            "row": self.kept.row,
            "line": self.kept.line,
            "messages": list(self.kept.conversation.messages),
            "label": self.kept.conversation.label,
            "record": self.kept.record,
        }


@dataclass(slots=True)
class Log:
    """What was read: how many records, what is told of each file, and which files were refused."""

    read: int = 0
    files: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, name: str, refusal: Refusal) -> None:
        """Note a file that could not be read, or not to its end; what was read of it stays."""
        self.refusals.append(refusal)
        self.notes.append(f"{refusal.sentence} The other files were used.")
        finding = Finding("error", refusal.sentence).as_json()
        for told in self.files:
            if told["file"] == name:
                told["findings"].append(finding)
                return
        self.files.append({"file": name, "format": "unknown", "encoding": "", "rows": 0, "findings": [finding]})


class Copies:
    """Tells exact copies from the first of their kind, where the recipe wants it. It holds 16 bytes a distinct row.

    A row that was given to validation or test stays, whatever came before it; `outdone` are the rows that came before and
    have to go for it, counted over those that passed.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._go = recipe.step("exact_duplicates") is not None
        self.given = Given(recipe.step("split"))
        self._places: dict[bytes, int] = {}
        self._held: set[bytes] = set()
        self._count = 0
        self.outdone: set[int] = set()

    def passed(self, row: Kept | Dropped, *, upload: str) -> Kept | Dropped:
        """The next row, of this upload; left out where an earlier one says the same."""
        if isinstance(row, Dropped):
            return row
        is_held = self.given.of(row.conversation, upload=upload) not in (None, TRAIN)
        if self._go:
            before = self._places.setdefault(row.key, self._count)
            if row.key in self._held or (before != self._count and not is_held):
                return Dropped(row.row, row.line, "exact_duplicates", COPY, row.conversation.text())
            if is_held:
                self._held.add(row.key)
                self.outdone |= {before} - {self._count}
        self._count += 1
        return row


class Reader:
    """Runs the first pass. Nothing but `copies` grows with the data."""

    def __init__(
        self,
        recipe: Recipe,
        ledger: Losses,
        workers: Workers,
        log: Log,
        *,
        findings: Findings,
        on_refusal: Callable[[Source, Refusal], None],
    ) -> None:
        self.recipe, self.ledger, self.workers, self.on_refusal = recipe, ledger, workers, on_refusal
        self.log, self.tally, self.findings = log, Tally(), findings
        self.copies = Copies(recipe)

    def rows(self, source: Source) -> Iterator[Row]:
        """Rows of one file. Where it breaks off, `on_refusal` hears why, after the rows before."""
        records, mapping = records_of(self.recipe, source)
        told: dict[str, Any] = {
            "file": source.name,
            "format": source.format,
            "encoding": source.encoding.name,
            "rows": 0,
            "findings": [each.as_json() for each in (*source.findings, *_passed_over(self.recipe.mapping, mapping))],
        }
        self.log.files.append(told)
        cut = _Chunks(source.name, mapping, records)
        for chunk, passed in self.workers.map(iter(cut)):
            told["rows"] += len(chunk.records)
            yield from self._passed(source, passed)
        if cut.failure is not None:
            self.on_refusal(source, cut.failure)

    def _passed(self, source: Source, passed: Passed) -> Iterator[Row]:
        self.tally.merge(passed.tally)
        ids: dict[int, int] = {}
        for each in passed.outcomes:
            outcome = self.copies.passed(each, upload=source.upload)
            self.log.read += 1
            if isinstance(outcome, Dropped):
                drop(outcome, source.name, self.ledger)
            else:
                ids[outcome.row] = self.log.read - 1
                yield Row(self.log.read - 1, source.name, outcome)
        self.findings.add(passed.traces, ids)


def drop(row: Dropped, file: str, losses: Losses) -> None:
    """Say that a row of this file is left out."""
    why = row.why
    losses.drop(
        file=file,
        row=row.row,
        line=row.line,
        step=row.step,
        reason=why.reason,
        detail=why.detail,
        text=row.text,
        personal=row.personal,
    )


def _passed_over(chosen: ColumnMap | None, used: ColumnMap) -> list[Finding]:
    """A word where the columns that somebody chose are not in a file, and others were taken."""
    if chosen is None or chosen == used:
        return []
    taken = ", ".join(used.columns()) or "none"
    note = f"The columns that were chosen ({', '.join(chosen.columns())}) are not all in this file; it was read by: {taken}."
    return [Finding("warning", note)]


class _Chunks:
    """Records cut into chunks of up to CHUNK_RECORDS, fewer where they are long. `failure`: why the file broke off."""

    def __init__(self, file: str, mapping: ColumnMap, records: Iterator[Record | Problem]) -> None:
        self.file, self.mapping, self.records = file, mapping, records
        self.failure: Refusal | None = None

    def __iter__(self) -> Iterator[Chunk]:
        held: list[Record | Problem] = []
        characters = 0
        for record in self._readable():
            held.append(record)
            characters += _length(record)
            if len(held) == CHUNK_RECORDS or characters > CHUNK_CHARACTERS:
                yield Chunk(self.file, self.mapping, tuple(held))
                held, characters = [], 0
        if held:
            yield Chunk(self.file, self.mapping, tuple(held))

    def _readable(self) -> Iterator[Record | Problem]:
        try:
            yield from self.records
        except Refusal as refusal:
            self.failure = refusal


def _length(record: Record | Problem) -> int:
    if isinstance(record, Problem):
        return len(record.text)
    return sum(len(value) for value in record.values.values() if isinstance(value, str))


def shown(examples: Sequence[Example], *, hides_after: bool, hider: Hider) -> list[dict[str, Any]]:
    """Examples for the report. What is personal is veiled before the change, and after it where `hides_after`: reports
    are kept, personal data is not."""
    gone = [changed_ranges(each.before, each.after)[0] if each.hides else [] for each in examples]
    personal = [each.personal for each in examples]
    before = _veiled([each.before for each in examples], personal, gone, hider)
    after = [each.after for each in examples]
    if hides_after:
        after = _veiled(after, personal, [[]] * len(after), hider)
    return [
        {"file": each.file, "row": each.row, "before": was, "after": now}
        for each, was, now in zip(examples, before, after, strict=True)
    ]


def _veiled(texts: list[str], personal: Sequence[Values], more: Sequence[Sequence[Range]], hider: Hider) -> list[str]:
    """The texts with what is found in them veiled, and the stretches of `more`."""
    found = zip(texts, hider.find(texts, personal), more, strict=True)
    return [veil_ranges(text, [*((span.start, span.end) for span in spans), *also]) for text, spans, also in found]
