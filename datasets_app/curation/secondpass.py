"""The steps that look at many rows: near copies, groups, split, balance, tokens. From what the first pass left to the files of
the splits, beside it. Reads no upload and makes no report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import numpy as np

from datasets_app.curation.grouping import Gathered, Grouping, checked_threshold
from datasets_app.curation.leaks import Leaks, leaking
from datasets_app.curation.ledger import Losses
from datasets_app.curation.membersets import MemberSets
from datasets_app.curation.near import Sketches
from datasets_app.curation.recipe import Recipe
from datasets_app.curation.splits import HELD_OUT, NAMES, TRAIN
from datasets_app.curation.table import NO_QUESTION, questions, row_count, texts_of
from datasets_app.curation.writing import Writing

Progress = Callable[[str, int, int], None]
Timed = Callable[[str], AbstractContextManager[None]]


def tokenizer_of(recipe: Recipe, given: Path | None) -> Path | None:
    """The folder of the tokenizer that counts: the one that was given, else the recipe's."""
    limits = recipe.step("tokens")
    named = limits.options["tokenizer"] if limits else None
    return given or (Path(str(named)) if named else None)


class SecondPass:
    """One run over `rows`, the file of the first pass. `timed` is asked for a clock by the name of what is done."""

    def __init__(self, recipe: Recipe, gathered: Gathered, rows: Path, *, timed: Timed, progress: Progress) -> None:
        self.recipe, self.rows, self.timed, self.progress = recipe, rows, timed, progress
        self.grouping = Grouping(recipe, gathered, rows)

    def find_near_copies(self, sketches: Sketches) -> None:
        """First; the sketches are not needed any more then."""
        count = self.grouping.count
        with self.timed("near_duplicates"):
            self.progress("near_duplicates", 0, count)
            self.grouping.find_near_copies(sketches)
            self.progress("near_duplicates", count, count)

    def finish(self, ledger: Losses, *, tokenizer: Path | None) -> Writing:
        """Split, balance, count tokens, and write train, validation and test.parquet."""
        with self.timed("split"):
            self.grouping.split(partial(self.progress, "split"))
        with self.timed("tokens"):
            writing = Writing(self.recipe, tokenizer=tokenizer, ledger=ledger)
            writing.write(self.rows, self.grouping, self.rows.parent, progress=partial(self.progress, "write"))
        if writing.shortened:
            self._leave_out_copies(writing)
        return writing

    def _leave_out_copies(self, writing: Writing) -> None:
        """Rows that were split apart by their whole texts may be alike once they are short; the held-out one goes."""
        for split, places in self.leaking().items():
            if places:
                writing.leave_out(self._file(split), split=split, places=places)

    def leaking(self) -> dict[str, set[int]]:
        """Places in each held-out split's file, as it was written, that have a near-duplicate in the training file."""
        train, held = ([self._file(name) for name in names] for names in (NAMES[:1], HELD_OUT))
        with self.timed("check"):
            self.progress("check", 0, 1)
            folder = self.rows.parent
            with MemberSets(texts_of(train), folder) as trained, MemberSets(texts_of(held), folder) as others:
                found = leaking(trained, others, threshold=checked_threshold(self.recipe))
            self.progress("check", 1, 1)
        before = row_count(held[0])
        places = {place for place in found if place < before}, {place - before for place in found if place >= before}
        return dict(zip(HELD_OUT, places, strict=True))

    def measured(self) -> dict[str, Leaks]:
        """What leaks into each held-out split, as the files were written: near-duplicates, and questions of train."""
        trained = np.unique(questions(self._file(NAMES[TRAIN])))
        trained = trained[trained != NO_QUESTION]
        found = {}
        for split, near in self.leaking().items():
            asked = np.flatnonzero(np.isin(questions(self._file(split)), trained)).tolist()
            found[split] = Leaks(len(near.union(asked)), len(asked), checked_threshold(self.recipe))
        return found

    def _file(self, split: str) -> Path:
        return self.rows.with_name(f"{split}.parquet")
