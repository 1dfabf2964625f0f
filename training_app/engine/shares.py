"""A share of the training rows, to see what more of them bring. Knows no model and no file.

Groups of rows that belong together are put into an order by lot, and whole groups are taken from its front: a smaller
share lies within every larger one, and no group is torn. What is held out is not touched.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from training_app.engine.data import Row


def share_of(rows: Sequence[Row], *, share: float, seed: int) -> list[Row]:
    """About `share` (above 0, at most 1) of the rows, in their own order: as many groups as come nearest to it, at least
    one. A row without a group stands for itself.
    """
    if share >= 1.0:
        return list(rows)
    groups: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        groups[row.group or f"alone {place}"].append(place)
    names = sorted(groups)
    random.Random(seed).shuffle(names)
    wanted, taken = share * len(rows), list[int]()
    for name in names:
        if taken and len(taken) + len(groups[name]) - wanted > wanted - len(taken):
            break
        taken.extend(groups[name])
    return [rows[place] for place in sorted(taken)]
