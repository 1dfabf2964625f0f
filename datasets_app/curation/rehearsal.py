"""The steps that look at many rows, tried on a sample: what a run would make of these rows, were they all there are.

Of a pair of copies or a conversation the other row may not be drawn, so such counts are the least that all rows come to.
Classes are balanced in the size that they have in all rows, for a class of a thousand is a few rows of a sample.
Leaves nothing behind.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from datasets_app.curation.grouping import Gathered, Given
from datasets_app.curation.ledger import Losses
from datasets_app.curation.near import Sketches
from datasets_app.curation.reading import Row
from datasets_app.curation.recipe import Recipe, Step
from datasets_app.curation.secondpass import SecondPass
from datasets_app.curation.table import WORKING, Writer
from datasets_app.curation.writing import Writing, balanced, planned

ROWS, WORDS = "rows.parquet", "words.bin"


class Rehearsal:
    """`with Rehearsal(…) as tried: tried.add(row, upload=…)`, then `tried.result(losses)`.

    scale: how many rows there are for each of the sample; 1 where the sample is all of them, and all is as in a run.
    """

    def __init__(self, recipe: Recipe, *, tokenizer: Path | None, scale: float) -> None:
        self.recipe, self.tokenizer, self.scale = recipe, tokenizer, scale
        self.given, self.gathered = Given(recipe.step("split")), Gathered()
        self.changed: dict[str, int] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._rows = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="rehearsal-"))) / ROWS
        self._sketches = self._stack.enter_context(Sketches(self._rows.with_name(WORDS)))
        self._writing = self._stack.enter_context(ExitStack())
        self._writer = self._writing.enter_context(Writer(self._rows, WORKING))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def add(self, row: Row, *, upload: str) -> None:
        """The next row of the sample that came through the first pass."""
        given = self.given.of(row.kept.conversation, upload=upload)
        self.gathered.add(row.kept, self._sketches, given=given)
        self._writer.add(row.stored())

    def result(self, losses: Losses) -> dict[str, Any]:
        """The parts of a report that these steps have, and how many rows are `kept`; no part where no row came so far.
        `tokens` is empty where no tokenizer counts."""
        if not self.gathered.labels:
            return {"kept": 0}
        self._writing.close()
        second = SecondPass(
            self._tried(), self.gathered, self._rows, timed=lambda _: nullcontext(), progress=lambda *_: None
        )
        second.find_near_copies(self._sketches)
        writing = second.finish(losses, tokenizer=self.tokenizer)
        near = [len(rows) for rows in second.grouping.members().values()]
        groups = [rows for rows in Counter(second.grouping.together.labels()).values() if rows > 1]
        self.changed = {"near_duplicates": sum(near), "tokens": writing.shortened}
        return {
            "kept": sum(writing.counts.values()),
            "duplicates": {"near_clusters": len(near), "near_rows": sum(near)},
            "splits": dict(writing.counts),
            "groups": {"groups": len(groups), "rows": sum(groups), "largest": max(groups, default=0)},
            "balance": self._balance(writing),
            "tokens": writing.tokens() if writing.counter else {},
        }

    def _tried(self) -> Recipe:
        """The recipe without what would end a run at the first long row, and without what depends on how many rows there
        are."""
        steps = [_going_on(step) for step in self.recipe.steps if step.kind != "balance" or self.scale == 1]
        return replace(self.recipe, steps=tuple(steps))

    def _balance(self, writing: Writing) -> dict[str, Any]:
        step = self.recipe.step("balance")
        if step is None or self.scale == 1:
            return writing.balance()
        before = Counter({label: round(rows * self.scale) for label, rows in writing.before.items()})
        labels = list(before.elements())
        done = planned(step, list(enumerate(labels)))
        gone, again = Counter(labels[row] for row in done.gone), Counter[str]()
        for row, times in done.again.items():
            again[labels[row]] += times
        return balanced(step, done, before=before, after=before - gone + again, repeated=again.total())


def _going_on(step: Step) -> Step:
    """The same step; where it refuses long rows it leaves them out."""
    if step.kind != "tokens" or step.options["policy"] != "refuse":
        return step
    return replace(step, options={**step.options, "policy": "drop"})
