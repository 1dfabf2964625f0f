"""How long answers may get where two models are compared: as long as the references ask for. Knows no weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

LEAST = 64
FITTING = 0.95  # of the references fit in, with room to spare: an odd long one would make all others wait
MARGIN = 1.25


def answer_limit(lengths: Sequence[int], *, context: int, most: int) -> int:
    """Tokens that an answer may have, its end among them, from the lengths of the references in tokens without it.

    Half of the model's context at most, for questions need room too, and never above `most`, which bounds the time.
    """
    long = sorted(lengths)[math.ceil(FITTING * len(lengths)) - 1]
    return min(most, max(1, context // 2), max(LEAST, math.ceil(MARGIN * (long + 1))))
