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


def cut_to_change(before: str, after: str, most: int) -> tuple[str, str]:
    """The first `most` characters of both texts; where they are equal for most of that, from a word before the change."""
    same = next(
        (at for at, (old, new) in enumerate(zip(before, after, strict=False)) if old != new),
        min(len(before), len(after)),
    )
    start = 0
    if before != after and same > most // 2:
        start = before.find(" ", same - most // 4) + 1 or same
        start = min(start, same)
    lead = "…" if start else ""
    return f"{lead}{before[start:]}"[:most], f"{lead}{after[start:]}"[:most]


def _places(pieces: list[str]) -> list[int]:
    places = [0]
    for piece in pieces:
        places.append(places[-1] + len(piece))
    return places
