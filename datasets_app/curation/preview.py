"""What a recipe would do, before it does it: its steps on a seeded sample of the files. Leaves nothing behind.

Copies, exact and near, and rows that belong together are counted within the sample alone, so the whole data has at least
that share of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from random import Random
from typing import Any

from datasets_app.curation.cleaning.changes import changed_ranges
from datasets_app.curation.errors import Refusal
from datasets_app.curation.firstpass import Chunk, Dropped, FirstPass
from datasets_app.curation.grouping import Given
from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.ledger import without_quotes
from datasets_app.curation.pii.hider import Hider
from datasets_app.curation.pii.keys import Keys, secret_of
from datasets_app.curation.pii.lists import Values
from datasets_app.curation.pii.masking import veil
from datasets_app.curation.placing import placed
from datasets_app.curation.readers.source import Source
from datasets_app.curation.readers.upload import opened
from datasets_app.curation.reading import CHUNK_RECORDS, Copies, Row, drop, shown
from datasets_app.curation.recipe import Recipe
from datasets_app.curation.records import records_of
from datasets_app.curation.rehearsal import Rehearsal
from datasets_app.curation.rows import Problem, Record
from datasets_app.curation.secondpass import tokenizer_of
from datasets_app.curation.steps import Known
from datasets_app.curation.surveys import check_server, survey
from datasets_app.curation.tally import EXAMPLE_CHARACTERS, FLAGGED, STEP_EXAMPLES, Tally

ROWS = 2_000
MOST_SEEN = 50_000  # records of a file that the sample is drawn from, from its start


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One record of the sample: which file it is of, and what its columns mean."""

    place: int
    source: Source
    mapping: ColumnMap
    record: Record | Problem


@dataclass(slots=True)
class _Left:
    """Rows of the sample that a step left out: how many for which reason, and the first few."""

    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[dict[str, Any], Values]] = field(default_factory=list)


class _Losses(defaultdict[str, _Left]):
    """By step. Stands where a run has its ledger."""

    def __init__(self) -> None:
        super().__init__(_Left)

    def drop(
        self,
        *,
        file: str,
        row: int,
        line: int | None,
        step: str,
        reason: str,
        detail: str,
        text: str = "",
        personal: Values = (),
    ) -> None:
        left = self[step]
        left.reasons[reason] += 1
        if len(left.examples) < STEP_EXAMPLES:
            told = {"file": file, "row": row, "reason": reason, "detail": detail, "text": text}
            left.examples.append((told, personal))


class Preview:
    """One look. `report()` gives the JSON that docs/architecture.md describes. Raises Refusal where nothing can be read."""

    def __init__(
        self,
        recipe: Recipe,
        files: Sequence[Path],
        *,
        rows: int = ROWS,
        seed: int = 0,
        tokenizer: Path | None = None,
        languagetool_url: str | None = None,
        secret: bytes = b"",
    ) -> None:
        check_server(recipe, languagetool_url)
        self.recipe, self.rows, self.seed = recipe, rows, seed
        self.files, self.tokenizer = Given(recipe.step("split")).first(files), tokenizer_of(recipe, tokenizer)
        self.languagetool_url, self.secret = languagetool_url, secret or secret_of(files)
        self.refusals: list[tuple[str, Refusal]] = []
        self.seen, self.whole = 0, True
        self.tally = Tally()
        self.left, self.changed = _Losses(), dict[str, int]()

    def report(self) -> dict[str, Any]:
        """Draw the sample, run the steps on it and say what they did."""
        with ExitStack() as stack:
            sources = self._open(stack)
            surveys = survey(self.recipe, sources, lambda *_: None) | {
                "edits": placed(self.recipe, sources, Keys(self.secret))
            }
            known = Known(self.languagetool_url, surveys, self.secret)
            sample = self._sample(sources)
            files = [_told(source, sample, place) for place, source in enumerate(sources)]
        if not sample and self.refusals:
            raise self.refusals[0][1]
        found = self._run(sample, known)
        return {
            "version": 1,
            "rows": {"sampled": len(sample), "seen": self.seen, "whole": self.whole, "kept": found.pop("kept")},
            "files": files,
            "steps": self._steps(),
            **found,
            "notes": [refusal.sentence for _name, refusal in self.refusals],
        }

    def _open(self, stack: ExitStack) -> list[Source]:
        sources: list[Source] = []
        for file in self.files:
            try:
                upload = stack.enter_context(opened(file, self.recipe.readings))
            except Refusal as refusal:
                self.refusals.append((file.name, refusal))
                continue
            sources += upload.sources
            self.refusals += upload.refused
        return sources

    def _sample(self, sources: Sequence[Source]) -> list[_Drawn]:
        """`rows` records, each as likely as any other (Vitter 1985, algorithm R), in the order of the files."""
        chance, drawn = Random(self.seed), list[_Drawn]()
        for each in self._records(sources):
            self.seen += 1
            if len(drawn) < self.rows:
                drawn.append(each)
            elif (at := chance.randrange(self.seen)) < self.rows:
                drawn[at] = each
        return sorted(drawn, key=lambda each: (each.place, each.record.row))

    def _records(self, sources: Sequence[Source]) -> Iterator[_Drawn]:
        for place, source in enumerate(sources):
            try:
                records, mapping = records_of(self.recipe, source)
                for record in islice(records, MOST_SEEN):
                    yield _Drawn(place, source, mapping, record)
                self.whole = self.whole and next(records, None) is None
            except Refusal as refusal:
                self.refusals.append((source.name, refusal))

    def _run(self, sample: Sequence[_Drawn], known: Known) -> dict[str, Any]:
        """Row by row, then what looks at many rows; the parts of a report that the latter have."""
        first, copies, count = FirstPass(self.recipe, known), Copies(self.recipe), 0
        with Rehearsal(self.recipe, tokenizer=self.tokenizer, scale=self.seen / max(1, len(sample))) as tried:
            for source, chunk in _chunks(sample):
                passed = first.run(chunk)
                self.tally.merge(passed.tally)
                for each in passed.outcomes:
                    outcome = copies.passed(each, upload=source.upload)
                    if isinstance(outcome, Dropped):
                        drop(outcome, chunk.file, self.left)
                    else:
                        tried.add(Row(count, chunk.file, outcome), upload=source.upload)
                    count += 1
            tried.gathered.outdone = copies.outdone
            found = tried.result(self.left)
        self.changed = tried.changed
        return found

    def _steps(self) -> list[dict[str, Any]]:
        """What happened in each step, in order; `read` and `map` come first where they left rows out."""
        kinds = [step.kind for step in self.recipe.steps]
        hidden_at = kinds.index("personal_data") if "personal_data" in kinds else 0
        before = [kind for kind in ("read", "map") if kind in self.left]
        return [
            self._step(kind, hides_after=kind in kinds and kinds.index(kind) < hidden_at) for kind in [*before, *kinds]
        ]

    def _step(self, kind: str, *, hides_after: bool) -> dict[str, Any]:
        counts, left, hider = self.tally.counts[kind], self.left[kind], Hider.of(self.recipe)
        return {
            "kind": kind,
            "changed": self.changed.get(kind, self.tally.changed[kind]),
            "dropped": dict(sorted(left.reasons.items())),
            "flagged": {
                name.removeprefix(FLAGGED): count for name, count in sorted(counts.items()) if name.startswith(FLAGGED)
            },
            "counts": {name: count for name, count in sorted(counts.items()) if not name.startswith(FLAGGED)},
            "examples": [
                _with_ranges(each) for each in shown(self.tally.steps[kind], hides_after=hides_after, hider=hider)
            ],
            "dropped_examples": _veiled(left.examples, hider),
        }


def _chunks(sample: Sequence[_Drawn]) -> Iterator[tuple[Source, Chunk]]:
    """The sample file by file, as much of it at once as a run takes."""
    for _place, part in groupby(sample, key=lambda each: each.place):
        records = list(part)
        for start in range(0, len(records), CHUNK_RECORDS):
            chunk = records[start : start + CHUNK_RECORDS]
            source = chunk[0].source
            yield source, Chunk(source.name, chunk[0].mapping, tuple(each.record for each in chunk))


def _told(source: Source, sample: Sequence[_Drawn], place: int) -> dict[str, Any]:
    drawn = sum(each.place == place for each in sample)
    return {"file": source.name, "format": source.format, "encoding": source.encoding.name, "sampled": drawn}


def _with_ranges(example: dict[str, Any]) -> dict[str, Any]:
    gone, come = changed_ranges(example["before"], example["after"])
    return {**example, "before_ranges": gone, "after_ranges": come}


def _veiled(examples: Sequence[tuple[dict[str, Any], Values]], hider: Hider) -> list[dict[str, Any]]:
    texts = [each["text"][:EXAMPLE_CHARACTERS].encode("utf-8", "backslashreplace").decode() for each, _ in examples]
    spans = hider.find(texts, [personal for _, personal in examples])
    details = without_quotes([each["detail"] for each, _ in examples], [personal for _, personal in examples], hider)
    found = zip(examples, texts, details, spans, strict=True)
    return [{**each, "text": veil(text, hidden), "detail": detail} for (each, _), text, detail, hidden in found]
