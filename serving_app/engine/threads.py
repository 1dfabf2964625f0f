"""How many threads a step takes: all of them, or one while other programs want the cores.

The threads of one product wait for each other hundreds of times a step. On free cores that is quick; where another
program holds one of them, every wait lasts as long as the kernel lets that program run, and a single thread is then
two to ten times faster. Nobody can know this beforehand, so both are tried now and then on steps alike, and the
quicker one is kept. Knows seconds; refuses to know models and torch.
"""

from __future__ import annotations

import statistics
from collections.abc import Hashable

# Steps of each kind in a trial, taken in turn: a median of three bears one hiccup.
STEPS_EACH = 3
# Steps between trials: soon after a change, then ever more rarely.
SOONEST, RAREST = 32, 256
# What the other number must gain to be chosen, and how slow a step must be to ask anew.
GAIN = 0.95
SLOW = 1.5


class ThreadChoice:
    """Says before each step how many threads to take, and is told afterwards how long the step took."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._now = most
        self._interval = SOONEST
        self._since = 0
        self._work: Hashable = None
        self._usual: float | None = None
        self._trial: list[float] | None = None

    @property
    def threads(self) -> int:
        """Threads for the next step."""
        if self._trial is not None and len(self._trial) % 2:
            return self._other
        return self._now

    @property
    def _other(self) -> int:
        return 1 if self._now == self._most else self._most

    def took(self, seconds: float, *, work: Hashable) -> None:
        """A step is over. Only steps of equal `work` are compared; those of other work end a trial."""
        if self._most == 1:
            return
        if work != self._work:
            self._work, self._usual, self._trial = work, None, None
        elif self._trial is not None:
            self._trial.append(seconds)
            if len(self._trial) == 2 * STEPS_EACH:
                self._decide(self._trial)
        else:
            self._since += 1
            slow = self._usual is not None and seconds > SLOW * self._usual
            if self._since >= self._interval or (slow and self._since >= SOONEST):
                self._trial = []

    def _decide(self, trial: list[float]) -> None:
        kept, tried = statistics.median(trial[0::2]), statistics.median(trial[1::2])
        if tried < GAIN * kept:
            self._now, self._interval = self._other, SOONEST
        else:
            self._interval = min(2 * self._interval, RAREST)
        self._since, self._usual, self._trial = 0, min(kept, tried), None
