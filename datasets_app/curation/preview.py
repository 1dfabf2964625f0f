"""What a recipe would do, before it does it: the per-row steps on a seeded sample of the files. Writes nothing.

Steps that need all rows (near copies, split, balance, tokens) are not run. Exact copies are counted within the sample
alone, so the whole data has at least that share.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from pathlib import Path
from random import Random
from typing import Any

from datasets_app.curation.cleaning.changes import changed_ranges
from datasets_app.curation.errors import Refusal
from datasets_app.curation.firstpass import Chunk, Dropped, FirstPass
from datasets_app.curation.kinds import BY_NAME
from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.pii.finder import finder
from datasets_app.curation.pii.masking import veil
from datasets_app.curation.readers.source import Source
from datasets_app.curation.readers.upload import opened
from datasets_app.curation.reading import CHUNK_RECORDS, COPY, shown
from datasets_app.curation.recipe import Recipe
from datasets_app.curation.records import records_of
from datasets_app.curation.rows import Problem, Record
from datasets_app.curation.steps import Known
from datasets_app.curation.surveys import check_server, survey
from datasets_app.curation.tally import EXAMPLE_CHARACTERS, FLAGGED, STEP_EXAMPLES, Tally

ROWS = 2_000
MOST_SEEN = 50_000  # records of a file that the sample is drawn from, from its start


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One record of the sample: which file it is of, and what its columns mean."""

    place: int
    file: str
    mapping: ColumnMap
    record: Record | Problem


@dataclass(slots=True)
class _Left:
    """Rows of the sample that a step left out: how many for which reason, and the first few."""

    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[str, Dropped]] = field(default_factory=list)


class Preview:
    """One look. `report()` gives the JSON that docs/architecture.md describes. Raises Refusal where nothing can be read."""

    def __init__(
        self,
        recipe: Recipe,
        files: Sequence[Path],
        *,
        rows: int = ROWS,
        seed: int = 0,
        languagetool_url: str | None = None,
    ) -> None:
        check_server(recipe, languagetool_url)
        self.recipe, self.files, self.rows, self.seed = recipe, files, rows, seed
        self.languagetool_url = languagetool_url
        self.refusals: list[tuple[str, Refusal]] = []
        self.seen, self.whole = 0, True
        self.tally = Tally()
        self.left: defaultdict[str, _Left] = defaultdict(_Left)
        self.kept = 0

    def report(self) -> dict[str, Any]:
        """Draw the sample, run the steps on it and say what they did."""
        with ExitStack() as stack:
            sources = self._open(stack)
            known = Known(self.languagetool_url, survey(self.recipe, sources, lambda *_: None))
            sample = self._sample(sources)
            files = [_told(source, sample, place) for place, source in enumerate(sources)]
        if not sample and self.refusals:
            raise self.refusals[0][1]
        self._run(sample, known)
        return {
            "version": 1,
            "rows": {"sampled": len(sample), "seen": self.seen, "whole": self.whole, "kept": self.kept},
            "files": files,
            "steps": self._steps(),
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
                    yield _Drawn(place, source.name, mapping, record)
                self.whole = self.whole and next(records, None) is None
            except Refusal as refusal:
                self.refusals.append((source.name, refusal))

    def _run(self, sample: Sequence[_Drawn], known: Known) -> None:
        by_row = tuple(step for step in self.recipe.steps if BY_NAME[step.kind].step)
        first = FirstPass(replace(self.recipe, steps=by_row), known)
        copies_go, keys = self.recipe.step("exact_duplicates") is not None, set[bytes]()
        for (_place, file), part in groupby(sample, key=lambda each: (each.place, each.file)):
            records = list(part)
            for start in range(0, len(records), CHUNK_RECORDS):
                chunk = records[start : start + CHUNK_RECORDS]
                passed = first.run(Chunk(file, chunk[0].mapping, tuple(each.record for each in chunk)))
                self.tally.merge(passed.tally)
                for outcome in passed.outcomes:
                    if isinstance(outcome, Dropped):
                        self._leave_out(file, outcome)
                    elif copies_go and outcome.key in keys:
                        text = outcome.conversation.text()
                        self._leave_out(file, Dropped(outcome.row, outcome.line, "exact_duplicates", COPY, text))
                    else:
                        keys.add(outcome.key)
                        self.kept += 1

    def _leave_out(self, file: str, row: Dropped) -> None:
        left = self.left[row.step]
        left.reasons[row.why.reason] += 1
        if len(left.examples) < STEP_EXAMPLES:
            left.examples.append((file, row))

    def _steps(self) -> list[dict[str, Any]]:
        """What happened in each step that ran, in order; `read` and `map` come first where they left rows out."""
        kinds = [step.kind for step in self.recipe.steps]
        hidden_at = kinds.index("personal_data") if "personal_data" in kinds else 0
        ran = [kind for kind in kinds if BY_NAME[kind].step or kind == "exact_duplicates"]
        before = [kind for kind in ("read", "map") if kind in self.left]
        return [
            self._step(kind, hides_after=kind in kinds and kinds.index(kind) < hidden_at) for kind in [*before, *ran]
        ]

    def _step(self, kind: str, *, hides_after: bool) -> dict[str, Any]:
        counts, left, names = self.tally.counts[kind], self.left[kind], self.recipe.looks_for_names
        return {
            "kind": kind,
            "changed": self.tally.changed[kind],
            "dropped": dict(sorted(left.reasons.items())),
            "flagged": {
                name.removeprefix(FLAGGED): count for name, count in sorted(counts.items()) if name.startswith(FLAGGED)
            },
            "counts": {name: count for name, count in sorted(counts.items()) if not name.startswith(FLAGGED)},
            "examples": [
                _with_ranges(each) for each in shown(self.tally.steps[kind], hides_after=hides_after, names=names)
            ],
            "dropped_examples": [_left_out(file, row, names=names) for file, row in left.examples],
        }


def _told(source: Source, sample: Sequence[_Drawn], place: int) -> dict[str, Any]:
    drawn = sum(each.place == place for each in sample)
    return {"file": source.name, "format": source.format, "encoding": source.encoding.name, "sampled": drawn}


def _with_ranges(example: dict[str, Any]) -> dict[str, Any]:
    gone, come = changed_ranges(example["before"], example["after"])
    return {**example, "before_ranges": gone, "after_ranges": come}


def _left_out(file: str, row: Dropped, *, names: bool) -> dict[str, Any]:
    text = row.text[:EXAMPLE_CHARACTERS].encode("utf-8", "backslashreplace").decode()
    (spans,) = finder(names=names).find([text])
    return {
        "file": file,
        "row": row.row,
        "reason": row.why.reason,
        "detail": row.why.detail,
        "text": veil(text, spans),
    }
