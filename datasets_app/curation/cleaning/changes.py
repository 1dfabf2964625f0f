"""Where two texts differ, for showing a change: ranges of characters. Knows no step."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

_PIECE = re.compile(r"\w+|\s+|[^\w\s]")
Range = tuple[int, int]


def changed_ranges(before: str, after: str) -> tuple[list[Range], list[Range]]:
    """The stretches `(start, end)` of `before` that are gone, and those of `after` that are new.

    Compared by words and signs; neighbouring stretches are joined. Both texts should be short (a few hundred words).
    """
    old, new = _PIECE.findall(before), _PIECE.findall(after)
    old_at, new_at = _places(old), _places(new)
    gone: list[Range] = []
    come: list[Range] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        if a < b:
            gone.append((old_at[a], old_at[b]))
        if c < d:
            come.append((new_at[c], new_at[d]))
    return gone, come


def _places(pieces: list[str]) -> list[int]:
    places = [0]
    for piece in pieces:
        places.append(places[-1] + len(piece))
    return places
