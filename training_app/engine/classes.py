"""The table of a classification: each label's precision, recall and F1 for both models, and which were taken for which.

Knows no model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from training_app.engine.labels import Labelled


def confusion(labelled: Labelled, base: Mapping[int, str], tuned: Mapping[int, str]) -> dict[str, Any]:
    """`classes` in the order of `names`; `confusion` by side as [true, chosen, rows], both as places in `names`."""
    truths = dict(zip(labelled.places, labelled.truths, strict=True))
    number = {label: index for index, label in enumerate(labelled.labels)}
    pairs = {
        side: Counter((number[truths[place]], number[said]) for place, said in chosen.items())
        for side, chosen in (("base", base), ("tuned", tuned))
    }
    return {
        "names": list(labelled.labels),
        "rows": len(labelled.places),
        "note": labelled.note,
        "classes": [
            {"label": label, "rows": sum(truth == label for truth in labelled.truths)}
            | {side: _scores(pairs[side], index) for side in pairs}
            for index, label in enumerate(labelled.labels)
        ]
        if labelled.places
        else [],
        "confusion": {side: [[*pair, count] for pair, count in sorted(found.items())] for side, found in pairs.items()},
    }


def _scores(pairs: Counter[tuple[int, int]], index: int) -> dict[str, float | None]:
    """None where nothing was chosen (precision) or true (recall), or neither (F1)."""
    right = pairs[index, index]
    true = sum(count for (truth, _said), count in pairs.items() if truth == index)
    chosen = sum(count for (_truth, said), count in pairs.items() if said == index)
    return {
        "precision": right / chosen if chosen else None,
        "recall": right / true if true else None,
        "f1": 2 * right / (true + chosen) if true + chosen else None,
    }
