"""Leaks across versions that are trained on together: their Parquet files against each other. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets_app.curation.leaks import leaking, sentence
from datasets_app.curation.membersets import MemberSets
from datasets_app.curation.table import checked_count, origins, texts, texts_of

EXAMPLES = 20


def cross_check(train: Sequence[Path], held_out: Sequence[Path], *, threshold: float) -> dict[str, Any]:
    """How many rows of each held-out file have a near-duplicate in any of the training files. Raises Refusal.

    Returns `{train_rows, held_out: [{file, rows, leaks, sentence, rows_that_leak}]}`; of the rows that leak the first
    EXAMPLES, as (file, row) of where they came from.
    """
    total, found = sum(map(checked_count, train)), []
    rows_of = {path: checked_count(path) for path in held_out}
    with MemberSets(texts_of(train)) as trained:
        for path, rows in rows_of.items():
            with MemberSets(texts(path)) as held:
                leaks = leaking(trained, held, threshold=threshold)
            first = origins(path, set(sorted(leaks)[:EXAMPLES]))
            found.append(
                {
                    "file": str(path),
                    "rows": rows,
                    "leaks": len(leaks),
                    "sentence": sentence(len(leaks), rows, of=path.stem, threshold=threshold),
                    "rows_that_leak": [list(place) for place in first.values()],
                }
            )
    return {"train_rows": total, "held_out": found}
