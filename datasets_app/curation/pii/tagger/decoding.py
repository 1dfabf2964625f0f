"""From probabilities of tags to findings. Knows tokens and figures, not how they came about."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import combining

import numpy as np
from numpy.typing import NDArray

from datasets_app.curation.pii.patterns import Span
from datasets_app.curation.pii.tagger.labels import ENTITIES, OUTSIDE
from datasets_app.curation.pii.tagger.tokens import Token

BRIDGE = 0.15
"""A token this likely to belong is taken along when both its neighbours belong to one entity."""
_RIM = ",;:.!?\n"


def spans_of(tokens: Sequence[Token], tags: NDArray[np.float32], least: float | NDArray[np.float32]) -> list[Span]:
    """Findings in order, without overlaps.

    Args:
        tags: (tokens, tags) probabilities.
        least: how likely a token must be to belong to anything, one figure or one a token; the score is the mean of
            how likely the finding's tokens are.
    """
    inside = 1.0 - tags[:, OUTSIDE]
    if not (inside >= least).any():
        return []
    begin, go_on = tags[:, 1::2], tags[:, 2::2]
    kinds = (begin + go_on).argmax(axis=1)
    chosen = inside >= least
    chosen[1:-1] |= (inside[1:-1] >= BRIDGE) & chosen[:-2] & chosen[2:] & (kinds[:-2] == kinds[2:])
    runs: list[list[int]] = []
    for place in np.flatnonzero(chosen).tolist():
        kind = kinds[place]
        goes_on = runs and runs[-1][-1] == place - 1 and kinds[place - 1] == kind
        if goes_on and begin[place, kind] <= go_on[place, kind]:
            runs[-1].append(place)
        else:
            runs.append([place])
    found = (_finding(tokens, inside, kinds, run[0], run[-1]) for run in runs)
    return [span for span in found if span]


def _finding(
    tokens: Sequence[Token], inside: NDArray[np.float32], kinds: NDArray[np.int64], first: int, last: int
) -> Span | None:
    """The finding from token `first` to `last` without marks at its rim, with accents behind it; None if only marks are left."""
    while first <= last and tokens[first].text.strip(_RIM + " ") == "":
        first += 1
    while last >= first and tokens[last].text.strip(_RIM + " ") == "":
        last -= 1
    if first > last or not any(token.text[0].isalnum() for token in tokens[first : last + 1]):
        return None
    end = tokens[last].end
    for token in tokens[last + 1 :]:
        if not (token.glued and combining(token.text[0])):
            break
        end = token.end
    score = round(sum(inside[first : last + 1].tolist()) / (last + 1 - first), 3)
    return Span(tokens[first].start, end, ENTITIES[int(kinds[first])], score, "model")
