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
from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.ledger import Ledger
from datasets_app.curation.pii.finder import finder
from datasets_app.curation.pii.masking import veil_ranges
from datasets_app.curation.readers.source import Source
from datasets_app.curation.recipe import Recipe
from datasets_app.curation.records import records_of
from datasets_app.curation.rows import Finding, Problem, Record, Rejection
from datasets_app.curation.tally import Example, Tally
from datasets_app.curation.workers import Workers

CHUNK_RECORDS = 500
CHUNK_CHARACTERS = 1 << 22
COPY = Rejection("exact_duplicate", "An earlier row says the same, apart from case and signs.")


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


class Reader:
    """Runs the first pass. `seen` holds 16 bytes a distinct row; nothing else grows with the data."""

    def __init__(
        self,
        recipe: Recipe,
        ledger: Ledger,
        workers: Workers,
        log: Log,
        *,
        findings: Findings,
        on_refusal: Callable[[Source, Refusal], None],
    ) -> None:
        self.recipe, self.ledger, self.workers, self.on_refusal = recipe, ledger, workers, on_refusal
        self.log, self.tally, self.findings = log, Tally(), findings
        self.seen: set[bytes] = set()
        self.copies_go = recipe.step("exact_duplicates") is not None

    def rows(self, source: Source) -> Iterator[Row]:
        """Rows of one file. Where it breaks off, `on_refusal` hears why, after the rows before."""
        records, mapping = records_of(self.recipe, source)
        told: dict[str, Any] = {
            "file": source.name,
            "format": source.format,
            "encoding": source.encoding.name,
            "rows": 0,
            "findings": [finding.as_json() for finding in source.findings],
        }
        self.log.files.append(told)
        cut = _Chunks(source.name, mapping, records)
        for chunk, passed in self.workers.map(iter(cut)):
            told["rows"] += len(chunk.records)
            yield from self._passed(source.name, passed)
        if cut.failure is not None:
            self.on_refusal(source, cut.failure)

    def _passed(self, file: str, passed: Passed) -> Iterator[Row]:
        self.tally.merge(passed.tally)
        ids: dict[int, int] = {}
        for outcome in passed.outcomes:
            self.log.read += 1
            if isinstance(outcome, Dropped):
                self._drop(file, outcome)
            elif self.copies_go and outcome.key in self.seen:
                text = outcome.conversation.text()
                self._drop(file, Dropped(outcome.row, outcome.line, "exact_duplicates", COPY, text))
            else:
                self.seen.add(outcome.key)
                ids[outcome.row] = self.log.read - 1
                yield Row(self.log.read - 1, file, outcome)
        self.findings.add(passed.traces, ids)

    def _drop(self, file: str, at: Dropped) -> None:
        why = at.why
        self.ledger.drop(
            file=file, row=at.row, line=at.line, step=at.step, reason=why.reason, detail=why.detail, text=at.text
        )


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


def shown(examples: Sequence[Example], *, hides_after: bool, names: bool) -> list[dict[str, Any]]:
    """Examples for the report. What is personal is veiled before the change, and after it where `hides_after`: reports
    are kept, personal data is not."""
    gone = [changed_ranges(each.before, each.after)[0] if each.hides else [] for each in examples]
    before = _veiled([each.before for each in examples], gone, names=names)
    after = [each.after for each in examples]
    if hides_after:
        after = _veiled(after, [[]] * len(after), names=names)
    return [
        {"file": each.file, "row": each.row, "before": was, "after": now}
        for each, was, now in zip(examples, before, after, strict=True)
    ]


def _veiled(texts: list[str], more: Sequence[Sequence[Range]], *, names: bool) -> list[str]:
    """The texts with what is found in them veiled, and the stretches of `more`."""
    found = zip(texts, finder(names=names).find(texts), more, strict=True)
    return [veil_ranges(text, [*((span.start, span.end) for span in spans), *also]) for text, spans, also in found]
