"""Texts as rules read them: what looks or sounds the same is written the same, and every place is known again.

People paste from pages, tables and bank statements: hard spaces between digits, hyphens that do not break, soft hyphens,
letters with their marks apart. A rule that knows one way of writing reads all of them here. Letters of other alphabets
that look alike stay what they are: rules about words read those in `lookalikes`.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

MINUS = "\N{MINUS SIGN}"
# Beside format characters (Cf): what Unicode draws as nothing, and strokes laid over a letter.
UNSEEN = frozenset(map(chr, [0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x3164, 0xFFA0]))
UNSEEN |= set(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
STROKES = dict.fromkeys(range(0x334, 0x339))


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text. Its character `n` was written as the characters `starts[n]` to `ends[n]`; both are empty where
    nothing was changed.
    """

    text: str
    starts: Sequence[int] = ()
    ends: Sequence[int] = ()

    def was(self, start: int, end: int) -> tuple[int, int]:
        """Where `start` to `end`, which are not the same, stand in the text as it was written."""
        return (self.starts[start], self.ends[end - 1]) if self.starts else (start, end)

    def now(self, place: int) -> int:
        """The first character that was written at `place` or after it."""
        return bisect_left(self.starts, place) if self.starts else place


def fold(text: str) -> Folded:
    """Unicode's compatibility form (NFKC), with one space, one hyphen, and without what is not seen."""
    if text.isascii():
        return Folded(text)
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        for letter in _plain(text[at:end]):
            letters.append(letter)
            starts.append(at)
            ends.append(end)
        at = end
    return Folded("".join(letters), starts, ends)


def _plain(cluster: str) -> str:
    """A character with its marks, as it is read."""
    if cluster.isascii():
        return cluster
    kind = unicodedata.category(cluster[0])
    if kind == "Cf" or cluster[0] in UNSEEN:
        return cluster[1:]
    if kind == "Zs":
        return " " + cluster[1:]
    if kind == "Pd" or cluster == MINUS:
        return "-"
    return unicodedata.normalize("NFKC", cluster).translate(STROKES)
