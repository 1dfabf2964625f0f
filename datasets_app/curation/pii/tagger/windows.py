"""Texts cut into rows that the network can read: at most a window of tokens, with what was said before in front."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from datasets_app.curation.pii.tagger.tokens import TURN, Token, tokenize

WINDOW = 160
OVERLAP = 40
"""Longer texts are read in windows of `WINDOW` tokens that share `OVERLAP`; each token is judged in the window that shows
more of its surroundings."""
BEFORE = 24
"""Tokens of what was said before that are looked at."""
_CHARACTERS_BEFORE = 16 * BEFORE

Kind = tuple[str, bool]
"""A token without its place: its text and whether it is glued to the one before."""


@dataclass(frozen=True, slots=True)
class Row:
    """Kinds of tokens to be read together; those from `first` to `last` (exclusive) are judged, for text `number`."""

    number: int
    kinds: list[Kind]
    first: int
    last: int


def before(turns: Sequence[str]) -> list[Kind]:
    """The end of what was said before, closed by the mark that stands in front of the text."""
    tokens = tokenize("\n".join(turns)[-_CHARACTERS_BEFORE:])[-BEFORE:]
    return [*((token.text, token.glued) for token in tokens), (TURN, False)] if tokens else []


def rows_of(number: int, tokens: Sequence[Token], turns: Sequence[str]) -> Iterator[Row]:
    """The rows of one text, in order; what they judge is every token once."""
    kinds = [(token.text, token.glued) for token in tokens]
    lead = before(turns)
    if len(kinds) <= WINDOW:
        if kinds:
            yield Row(number, lead + kinds, len(lead), len(lead) + len(kinds))
        return
    start, judged = 0, 0
    while judged < len(kinds):
        end = min(start + WINDOW, len(kinds))
        until = end if end == len(kinds) else end - OVERLAP // 2
        shown = lead if start == 0 else []
        yield Row(number, shown + kinds[start:end], len(shown) + judged - start, len(shown) + until - start)
        judged, start = until, end - OVERLAP
