"""How many rows are computed at once where a model answers or is measured: fewer once memory did not suffice.

What a model says of a row does not depend on the rows beside it, so that scores stay what they were. Knows no model.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence

import torch

from training_app.engine.batching import batches_by_tokens
from training_app.engine.errors import is_out_of_memory

Batch = list[int]


def _silent(_said: str) -> None:
    """For work that has no log of its own."""


class Room:
    """`share` is what part of the usual rows and tokens a batch may have, above 0 to 1; `tell` hears when it shrinks."""

    def __init__(self, share: float = 1.0, *, tell: Callable[[str], None] = _silent) -> None:
        self.share = share
        self._tell = tell

    def take(self, lengths: Sequence[int], *, token_budget: int, most: int, work: Callable[[Batch], None]) -> None:
        """Have `work` done for all places of `lengths`, in batches of at most `most` and about `token_budget` tokens. What did
        not fit into memory comes again in smaller ones; a single row that does not fit raises what it raised.
        """
        left = set(range(len(lengths)))
        while left:
            places = sorted(left)
            cut = batches_by_tokens(
                [lengths[place] for place in places],
                token_budget=max(1, int(token_budget * self.share)),
                most=max(1, int(most * self.share)),
            )
            for batch in ([places[index] for index in indices] for indices in cut):
                if not _fits(batch, work):
                    self.share = min(self.share, len(batch) / most) / 2
                    rows = max(1, int(most * self.share))
                    self._tell(f"There was not enough memory for {len(batch)} rows at once: it goes on with {rows}.")
                    break
                left.difference_update(batch)


def _fits(batch: Batch, work: Callable[[Batch], None]) -> bool:
    try:
        work(batch)
    except (MemoryError, OSError, RuntimeError) as error:
        if len(batch) == 1 or not is_out_of_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)  # and with them what they hold of the memory
    else:
        return True
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    return False
