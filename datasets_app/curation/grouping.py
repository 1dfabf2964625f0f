"""Second pass: which rows belong together, and the split of each such group. Reads rows, writes none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from datasets_app.curation.dedupe import Clusters, cluster
from datasets_app.curation.leaks import Copies
from datasets_app.curation.recipe import Recipe, number_option
from datasets_app.curation.splits import NAMES, TRAIN, assign
from datasets_app.curation.table import texts

ROUNDS = 25
DEFAULT_THRESHOLD = 0.7


@dataclass(slots=True)
class Gathered:
    """What is remembered of the rows of the first pass; one entry a row in each list. `fixed`: row to given split."""

    labels: list[str | None] = field(default_factory=list)
    groups: list[tuple[str, ...]] = field(default_factory=list)
    signatures: list[Any] = field(default_factory=list)
    fixed: dict[int, int] = field(default_factory=dict)


def threshold_of(recipe: Recipe) -> float:
    """The similarity from which two rows are near copies."""
    near = recipe.step("near_duplicates")
    return number_option(near, "threshold") if near else DEFAULT_THRESHOLD


class Grouping:
    """Near copies in `clusters`; these and the rows of one conversation in `together`, which are never divided."""

    def __init__(self, recipe: Recipe, gathered: Gathered, rows: Path) -> None:
        self.recipe, self.gathered, self.rows = recipe, gathered, rows
        self.near = recipe.step("near_duplicates") is not None
        self.clusters = Clusters(len(gathered.labels))
        self.together = Clusters(len(gathered.labels))
        self.splits: list[int] = []
        self.left_out: set[int] = set()

    def find_near_copies(self) -> None:
        """Fill `clusters`. The signatures are given up afterwards."""
        if self.near and len(self.gathered.labels) > 1:
            cluster(
                np.stack(self.gathered.signatures),
                threshold=threshold_of(self.recipe),
                texts_of=lambda wanted: texts(self.rows, wanted),
                clusters=self.clusters,
            )
        self.gathered.signatures = []

    def cluster_sizes(self) -> list[int]:
        """Rows in each cluster of more than one."""
        return [size for size in Counter(self.clusters.labels()).values() if size > 1]

    def split(self, progress: Callable[[int, int], None]) -> None:
        """Fill `splits`: what the independent check still finds is put together and split again, until it is quiet."""
        self._join_groups()
        copies = (
            Copies([text for _row, text in texts(self.rows)], threshold=threshold_of(self.recipe))
            if self.near
            else None
        )
        for turn in range(ROUNDS):
            self.splits = self._assign()
            self._leave_out_copies_of_fixed()
            progress(turn, ROUNDS)
            if copies is None or not self._join_leaks(copies):
                break
        self._leave_out_copies_of_fixed()
        progress(ROUNDS, ROUNDS)

    def _join_groups(self) -> None:
        first_of: dict[str, int] = {}
        for row, label in enumerate(self.clusters.labels()):
            self.together.join(row, label)
            for group in self.gathered.groups[row]:
                self.together.join(row, first_of.setdefault(group, row))

    def _assign(self) -> list[int]:
        step = self.recipe.step("split")
        stratify = step is not None and step.options["stratify"]
        return assign(
            self.together.labels(),
            shares=[number_option(step, name) for name in NAMES],
            seed=int(number_option(step, "seed")),
            labels=self.gathered.labels if stratify else [None] * len(self.gathered.labels),
            fixed=self.gathered.fixed,
        )

    def _leave_out_copies_of_fixed(self) -> None:
        """A validation file stays whole, so the near copies of its rows in the other files have to go."""
        if self.near and self.gathered.fixed:
            held = {self.clusters.find(row) for row in self.gathered.fixed}
            rows = range(len(self.gathered.labels))
            self.left_out = {row for row in rows if row not in self.gathered.fixed and self.clusters.find(row) in held}

    def _join_leaks(self, copies: Copies) -> bool:
        """Put held-out rows together with their copies in train. False when there were none."""
        joined = False
        for row, split in enumerate(self.splits):
            if split != TRAIN and row not in self.left_out:
                for other in copies.of(row, self._is_trained_apart_from(row)):
                    joined |= self.clusters.join(row, other)
                    self.together.join(row, other)
        return joined

    def _is_trained_apart_from(self, row: int) -> Callable[[int], bool]:
        def among(other: int) -> bool:
            is_trained = self.splits[other] == TRAIN and other not in self.left_out
            return is_trained and self.clusters.find(other) != self.clusters.find(row)

        return among
