"""A conversation that is too long as several that fit: by turn, and a long question by overlapping windows.

Every answer stays whole. By turn each answer is in one part; of a question that is cut, each window has the answer, as
readers of long documents learn it (Devlin et al. 2019). Knows no file; who calls keeps the parts in one split.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from datasets_app.curation.rows import Message
from datasets_app.curation.tokens import TokenCounter

OVERLAP = 1 / 8  # of a window that the next one repeats
LEAST_ROOM = 8  # tokens for the question; a window of less says nothing
MOST_WINDOWS = 64
_PIECE = re.compile(r"\S+\s*")
Part = tuple[list[Message], int]


def parts(counter: TokenCounter, messages: Sequence[Message], *, limit: int) -> list[Part] | None:
    """The parts with their tokens, each `limit` at most, in order; None where an answer would have to be cut."""
    system = [message for message in messages if message["role"] == "system"]
    turns = exchanges([message for message in messages if message["role"] != "system"])
    alone, *sizes = counter.counts([system, *([*system, *each] for each in turns)])
    found: list[Part] = []
    for together in _packed([size or limit + 1 for size in sizes], alone or 0, limit):
        fitting = _counted(counter, system, [turns[place] for place in together], limit)
        if fitting is None:
            return None
        found += fitting
    return found


def exchanges(turns: Sequence[Message]) -> list[list[Message]]:
    """Turns by what is asked and answered; a question that nobody answered stands with the next."""
    found: list[list[Message]] = [[]]
    for turn in turns:
        if turn["role"] == "user" and any(each["role"] == "assistant" for each in found[-1]):
            found.append([])
        found[-1].append(turn)
    return found


def _packed(sizes: Sequence[int], shared: int, limit: int) -> list[list[int]]:
    """Neighbours together while they fit; `shared` is counted in each size."""
    found: list[list[int]] = []
    room = 0
    for place, size in enumerate(sizes):
        if found and size - shared <= room:
            found[-1].append(place)
            room -= size - shared
        else:
            found.append([place])
            room = limit - size
    return found


def _counted(
    counter: TokenCounter, system: list[Message], turns: Sequence[list[Message]], limit: int
) -> list[Part] | None:
    whole = [*system, *(message for turn in turns for message in turn)]
    (size,) = counter.counts([whole])
    if size is not None and size <= limit:
        return [(whole, size)]
    if len(turns) == 1:
        return _windows(counter, whole, limit)
    apart = [_counted(counter, system, [turn], limit) for turn in turns]
    return None if None in apart else [part for each in apart if each for part in each]


def _windows(counter: TokenCounter, messages: list[Message], limit: int) -> list[Part] | None:
    """The longest question in windows, each with all that stands around it."""
    asked = [place for place, message in enumerate(messages) if message["role"] == "user"]
    if not asked:
        return None
    at = max(asked, key=lambda place: len(messages[place]["content"]))
    pieces = _PIECE.findall(messages[at]["content"])
    around, whole = counter.counts([_asking(messages, at, ""), messages])
    if not pieces or around is None or whole is None or limit - around < LEAST_ROOM:
        return None
    width = math.floor(len(pieces) * (limit - around) / max(1, whole - around))
    while width >= 1:
        step = max(1, width - math.floor(width * OVERLAP))
        starts = range(0, max(1, len(pieces) - width + step), step)
        if len(starts) > MOST_WINDOWS:
            return None
        made = [_asking(messages, at, "".join(pieces[start : start + width]).strip()) for start in starts]
        counts = counter.counts(made)
        fitting = [(part, size) for part, size in zip(made, counts, strict=True) if size is not None and size <= limit]
        if len(fitting) == len(made):
            return fitting
        width = math.floor(width * 0.9)
    return None


def _asking(messages: Sequence[Message], at: int, text: str) -> list[Message]:
    return [{**message, "content": text} if place == at else message for place, message in enumerate(messages)]
