"""When something was said, as a number to order by: numbers by their size, dates by their time, however they are spelt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import inf, isnan
from typing import TypeVar

from dateutil import parser

LONGEST = 60  # characters; what is longer is no date
START = datetime(1996, 1, 1)
_DAY_AND_MONTH = re.compile(r"\D{0,12}\b(\d{1,2})([/.-])(\d{1,2})\2\d{2,4}\b")
T = TypeVar("T")


class Moments:
    """The moments of one column. `see` each value before the first `of`: together they tell whether the day comes first."""

    def __init__(self) -> None:
        self.day_first: bool | None = None

    def see(self, value: object) -> None:
        """Learn from a date that can be read in one way only, as 31/12/2024."""
        if self.day_first is None and isinstance(value, str) and (found := _DAY_AND_MONTH.match(value)):
            first, second = int(found[1]), int(found[3])
            if max(first, second) > 12:
                self.day_first = first > 12

    def of(self, value: object) -> float:
        """A number as it is, a date in seconds (in UTC where it names no zone); infinite for anything else."""
        text = str(value).strip()
        try:
            number = float(text)
        except ValueError:
            return self._date(text) if len(text) <= LONGEST else inf
        return inf if isnan(number) else number

    def _date(self, text: str) -> float:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            try:
                found = self._spelt(text)
            except (ValueError, OverflowError):
                return inf
        return found.replace(tzinfo=found.tzinfo or UTC).timestamp()

    def _spelt(self, text: str) -> datetime:
        day_first = self.day_first
        if day_first is None:
            dated = _DAY_AND_MONTH.match(text)
            day_first = dated is not None and dated[2] == "."  # who writes dots writes the day first
        found: datetime = parser.parse(text, default=START, dayfirst=day_first, tzinfos=lambda _name, offset: offset)
        return found


def in_order(items: Sequence[T], moments: Sequence[float]) -> list[T]:
    """Items by their moments. Those of one moment stay as they stand, or turned round where the newest come first."""
    places = range(len(items))
    if moments and moments[0] > moments[-1] and all(one >= other for one, other in pairwise(moments)):
        places = places[::-1]
    return [items[place] for place in sorted(places, key=moments.__getitem__)]
