"""What more training rows brought: losses of runs on nested shares of the rows, held against one another. Pure sums.

The same validation rows are looked at in every run, so the change is a paired one, and its interval the verdict's own
(`engine/intervals.py`): over the validation rows. That another draw of the training rows or another seed would move the
loss, too, is not in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

SHARES = (0.25, 0.5, 1.0)
WORTH = 0.05  # a loss that may have fallen by this share is worth another look
LITTLE = 0.02  # one that fell by less than this at best is hardly worth more rows
HELPS, LITTLE_MORE, ENOUGH, UNCLEAR, HARMS = "helps", "little_more", "enough", "unclear", "harms"
Loss = Sequence[float]  # place, nats, answer tokens, group


@dataclass(frozen=True, slots=True)
class Gain:
    """How the loss changed from one share to a larger one: −0.08 is eight hundredths less. `low` and `high` are the ends of
    its 95 % interval; `said` is better, worse or no_difference.
    """

    before: float
    after: float
    change: float
    low: float
    high: float
    rows: int
    too_few: bool
    said: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def percent(share: float) -> str:
    """0.25 as 25 %."""
    return f"{100 * share:.0f} %"


def mean_loss(losses: Sequence[Loss]) -> float:
    """Nats an answer token, over all rows; not a number where nothing was measured."""
    tokens = sum(each[2] for each in losses)
    return sum(each[1] for each in losses) / tokens if tokens else math.nan


def gain(before: tuple[float, Sequence[Loss]], after: tuple[float, Sequence[Loss]]) -> Gain:
    """From the losses at one share (given first in each pair) to those at a larger one, on the rows that both measured."""
    import numpy as np

    from training_app.engine.intervals import compare

    (share, first), (larger, second) = before, after
    there = {int(each[0]): each for each in second}
    both = [(each, there[int(each[0])]) for each in first if int(each[0]) in there]
    sums = [np.asarray([[pair[side][1], pair[side][2]] for pair in both], dtype=float) for side in (0, 1)]
    groups = [int(pair[0][3]) for pair in both]
    found = compare({"log_loss": sums[0]}, {"log_loss": sums[1]}, seed=0, groups=groups)["log_loss"]
    change, low, high = (math.expm1(each) for each in (found.difference, found.low, found.high))
    return Gain(share, larger, change, low, high, len(both), found.too_few, found.said)


def verdict(last: Gain) -> str:
    """Whether more rows would help, from the step to the largest share."""
    if last.said == "worse":
        return HARMS
    if last.said == "better":
        return LITTLE_MORE if -last.low < LITTLE else HELPS
    return UNCLEAR if last.too_few or -last.low >= WORTH else ENOUGH
