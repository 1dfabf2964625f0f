"""What the per-row steps counted: mergeable, so that parts of a file can be counted anywhere. Knows no file."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Self

from datasets_app.curation.pii.lists import Values

EXAMPLES = 12
STEP_EXAMPLES = 5
EXAMPLE_CHARACTERS = 600
LANGUAGE = "language_"  # counts of rows by language: this and the code
UNANSWERED, UNANSWERED_ROWS = "unanswered_turns", "unanswered_rows"
FLAGGED = "flagged_"  # counts of rows that a filter marks and keeps: this and the reason


@dataclass(frozen=True, slots=True)
class Example:
    """A row that was changed, as it came and as it went. Nothing is hidden in it yet; with `hides`, what differs was
    personal data (a step that hid it may have known more than the text alone tells). `personal`: what the row is known to
    hold of it."""

    file: str
    row: int
    before: str
    after: str
    hides: bool = False
    personal: Values = ()


def _counters() -> defaultdict[str, Counter[str]]:
    return defaultdict(Counter)


def _lists() -> defaultdict[str, list[Example]]:
    return defaultdict(list)


def _sums() -> defaultdict[str, float]:
    return defaultdict(float)


@dataclass(slots=True)
class Tally:
    """changed: rows by step. counts: what each step did, by name. rows, steps: the first rows that were changed at all,
    and by each step. seconds: time in each step, over all processes."""

    changed: Counter[str] = field(default_factory=Counter)
    counts: defaultdict[str, Counter[str]] = field(default_factory=_counters)
    rows: list[Example] = field(default_factory=list)
    steps: defaultdict[str, list[Example]] = field(default_factory=_lists)
    seconds: defaultdict[str, float] = field(default_factory=_sums)

    def note_step(self, step: str, example: Example) -> None:
        """A row that a step changed."""
        self.changed[step] += 1
        if len(self.steps[step]) < STEP_EXAMPLES:
            self.steps[step].append(example)

    def note_row(self, example: Example) -> None:
        """A kept row that is not what it was."""
        if len(self.rows) < EXAMPLES:
            self.rows.append(example)

    def know(self, personal: Callable[[int], Values]) -> None:
        """Give each example what its row is known to hold of personal data."""
        for examples in (self.rows, *self.steps.values()):
            examples[:] = [replace(each, personal=personal(each.row)) for each in examples]

    def without(self, places: Collection[tuple[str, int]]) -> None:
        """Take out examples from these (file, row): test rows stay shut, in reports too."""
        self.rows = [each for each in self.rows if (each.file, each.row) not in places]
        for step, examples in self.steps.items():
            self.steps[step] = [each for each in examples if (each.file, each.row) not in places]

    def merge(self, later: Self) -> None:
        """Add what was counted over the rows that follow."""
        self.changed.update(later.changed)
        for step, seconds in later.seconds.items():
            self.seconds[step] += seconds
        for step, counts in later.counts.items():
            self.counts[step].update(counts)
        self.rows += later.rows[: EXAMPLES - len(self.rows)]
        for step, examples in later.steps.items():
            self.steps[step] += examples[: STEP_EXAMPLES - len(self.steps[step])]
