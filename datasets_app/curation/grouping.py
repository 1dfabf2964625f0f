"""Second pass: which rows belong together, and the split of each such group. Reads rows, writes none."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_app.curation.firstpass import Kept
from datasets_app.curation.leaks import copies
from datasets_app.curation.membersets import MemberSets, Places
from datasets_app.curation.near import Clusters, NearCopies, Sketches
from datasets_app.curation.recipe import Recipe, Step, number_option, texts_option
from datasets_app.curation.rows import Conversation
from datasets_app.curation.splits import NAMES, TRAIN, VALIDATION, assign
from datasets_app.curation.table import texts

ROUNDS = 3
DEFAULT_THRESHOLD = 0.7
# Beginnings of a word or two ("Hello!") tie rows where at most so many begin like that, or one row of so many: what half
# of all rows begin with says nothing, and would leave nothing to hold out.
GREETED, GREETED_SHARE = 20, 50


@dataclass(slots=True)
class Gathered:
    """What is remembered of the rows of the first pass. `fixed`: row to given split. `outdone`: rows that say
    exactly what a row says that was given to a held-out split. `answered`: characters of the
    answers, where near copies are looked for."""

    labels: list[str | None] = field(default_factory=list)
    linked: array[int] = field(default_factory=lambda: array("q"))
    links: array[int] = field(default_factory=lambda: array("Q"))
    greeted: array[int] = field(default_factory=lambda: array("q"))
    greetings: array[int] = field(default_factory=lambda: array("Q"))
    answered: array[int] = field(default_factory=lambda: array("q"))
    fixed: dict[int, int] = field(default_factory=dict)
    outdone: set[int] = field(default_factory=set)

    _known: dict[str, str] = field(default_factory=dict)

    def add(self, row: Kept, sketches: Sketches, *, given: int | None) -> None:
        """The next row, and the split that it was given to. Equal labels are one object; rows that have a link in common
        belong together."""
        place, label = len(self.labels), row.conversation.label
        self.labels.append(self._known.setdefault(label, label) if label is not None else None)
        self.linked.extend([place] * len(row.links))
        self.links.extend(row.links)
        if row.greeting is not None:
            self.greeted.append(place)
            self.greetings.append(row.greeting)
        if row.sketch is not None:
            sketches.add(row.sketch)
            self.answered.append(row.sketch.answered)
        if given is not None:
            self.fixed[place] = given


class Given:
    """Which split rows were given to: by the file that they came in, or by their own column where that is kept to."""

    def __init__(self, split: Step | None) -> None:
        self.files = frozenset(texts_option(split, "validation_files") if split else ())
        self._keeps = split is not None and split.options["given"] == "keep"

    def of(self, row: Conversation, *, upload: str) -> int | None:
        """The split of a row of this upload; None where nobody said."""
        if upload in self.files:
            return VALIDATION
        return NAMES.index(row.split) if row.split and self._keeps else None

    def first(self, files: Sequence[Path]) -> list[Path]:
        """Files that were given come first, so that of exact copies not theirs go."""
        return sorted(files, key=lambda path: path.name not in self.files)


def threshold_of(recipe: Recipe) -> float:
    """The similarity from which two rows are near copies."""
    near = recipe.step("near_duplicates")
    return number_option(near, "threshold") if near else DEFAULT_THRESHOLD


def checked_threshold(recipe: Recipe) -> float:
    """The similarity from which the check counts a leak: a recipe that looks for closer copies alone hides none by it."""
    return min(threshold_of(recipe), DEFAULT_THRESHOLD)


class Grouping:
    """Near copies in `clusters`; these and the rows of one conversation in `together`, which are never divided.

    left_out: rows that go because a given held-out row says the same. repeated: near copies that go, each with the row
    that was kept for it.
    """

    def __init__(self, recipe: Recipe, gathered: Gathered, rows: Path) -> None:
        self.recipe, self.gathered, self.rows = recipe, gathered, rows
        self.near = recipe.step("near_duplicates")
        self.count = len(gathered.labels)
        self.clusters, self.together = Clusters(self.count), Clusters(self.count)
        self.splits: list[int] = []
        self.left_out: set[int] = set(gathered.outdone)
        self.repeated: dict[int, int] = {}
        self.given = {row for row, split in gathered.fixed.items() if split != TRAIN}

    def find_near_copies(self, sketches: Sketches) -> None:
        """Fill `clusters`, and `repeated` by the policy."""
        if self.near is None:
            return
        NearCopies(sketches, threshold=threshold_of(self.recipe)).join(self.clusters, self.together)
        self._leave_out_copies_of_given()
        if self.near.options["keep"] != "all":
            self._keep_one(best=self.near.options["keep"] == "best")

    def members(self) -> dict[int, list[int]]:
        """The rows of each cluster of more than one."""
        labels = self.clusters.labels()
        sizes = Counter(labels)
        found: dict[int, list[int]] = {label: [] for label, size in sizes.items() if size > 1}
        for row, label in enumerate(labels):
            if label in found:
                found[label].append(row)
        return found

    def _keep_one(self, *, best: bool) -> None:
        """Of each cluster the first row stays, or the first of those with the longest answer."""
        for rows in self.members().values():
            free = [row for row in rows if row not in self.gathered.fixed and row not in self.left_out]
            if free:
                kept = max(free, key=lambda row: self.gathered.answered[row]) if best else free[0]
                self.repeated.update((row, kept) for row in free if row != kept)

    def split(self, progress: Callable[[int, int], None]) -> None:
        """Fill `splits`. What the independent check still finds is put together and split again, ROUNDS times; after
        that, what still has a copy in train moves there."""
        self._join_groups()
        progress(0, ROUNDS)
        self.splits = self._assign()
        if self.near is not None:
            stays = np.ones(self.count, dtype=bool)
            stays[[*self.left_out, *self.repeated]] = False
            with MemberSets(texts(self.rows, stays), self.rows.parent) as sets:
                self._part_copies(sets, progress)
        progress(ROUNDS, ROUNDS)

    def _part_copies(self, sets: MemberSets, progress: Callable[[int, int], None]) -> None:
        for turn in range(1, ROUNDS):
            if not self._join_leaks(sets):
                return
            progress(turn, ROUNDS)
            self.splits = self._assign()
        while self._join_leaks(sets):
            self._move_leaks()

    def _join_groups(self) -> None:
        for row, label in enumerate(self.clusters.labels()):
            self.together.join(row, label)
        self._join_equal(self.gathered.linked, self.gathered.links, most=self.count)
        self._join_equal(self.gathered.greeted, self.gathered.greetings, most=max(GREETED, self.count // GREETED_SHARE))

    def _join_equal(self, owners: array[int], marks: array[int], *, most: int) -> None:
        """Put rows together that have a mark in common, where at most so many have it."""
        rows, values = np.frombuffer(owners, dtype=np.int64), np.frombuffer(marks, dtype=np.uint64)
        order = np.argsort(values, kind="stable")
        _, starts, counts = np.unique(values[order], return_index=True, return_counts=True)
        chosen = (counts > 1) & (counts <= most)
        for start, count in zip(starts[chosen].tolist(), counts[chosen].tolist(), strict=True):
            first, *others = rows[order[start : start + count]].tolist()
            for other in others:
                self.together.join(first, other)

    def _assign(self) -> list[int]:
        step = self.recipe.step("split")
        stratify = step is not None and step.options["stratify"]
        return assign(
            self.together.labels(),
            shares=[number_option(step, name) for name in NAMES],
            seed=int(number_option(step, "seed")),
            labels=self.gathered.labels if stratify else [None] * self.count,
            fixed=self.gathered.fixed,
        )

    def _leave_out_copies_of_given(self) -> None:
        """Held-out rows that people gave stay, so near copies of them elsewhere have to go."""
        if self.given:
            held = {self.clusters.find(row) for row in self.given}
            rows = (row for row in range(self.count) if row not in self.given)
            self.left_out |= {row for row in rows if self.clusters.find(row) in held}

    def _leaks(self, sets: MemberSets) -> Iterator[tuple[int, int]]:
        """(train row, held-out row) that say nearly the same, in the splits as they are now."""
        splits = np.array(self.splits)
        gone = np.zeros(self.count, dtype=bool)
        gone[[*self.left_out, *self.repeated]] = True
        trained, held = (splits == TRAIN) & ~gone, (splits != TRAIN) & ~gone

        def apart(left: Places, right: Places) -> NDArray[np.bool_]:
            pairs = zip(left.tolist(), right.tolist(), strict=True)
            return np.array([self._is_open(one, other) for one, other in pairs], dtype=bool)

        return copies(
            partial(sets.batches, wanted=trained),
            partial(sets.batches, wanted=held),
            threshold=checked_threshold(self.recipe),
            wanted=apart,
        )

    def _is_open(self, trained: int, held: int) -> bool:
        """Whether it is not settled yet what becomes of a pair."""
        if held in self.given:
            return trained not in self.left_out
        return self.together.find(trained) != self.together.find(held)

    def _join_leaks(self, sets: MemberSets) -> bool:
        """Put held-out rows together with their copies in train. False when there were none."""
        found = False
        for trained, held in self._leaks(sets):
            found = True
            if held in self.given:
                self.left_out.add(trained)
            else:
                self.together.join(trained, held)
        return found

    def _move_leaks(self) -> None:
        """Take the groups that leak into train."""
        labels = self.together.labels()
        trained = {labels[row] for row, split in enumerate(self.splits) if split == TRAIN}
        for row, label in enumerate(labels):
            if label in trained and row not in self.gathered.fixed:
                self.splits[row] = TRAIN
