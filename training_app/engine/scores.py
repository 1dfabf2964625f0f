"""Text metrics through `evaluate`, from the metric modules that the project ships. Knows no model and no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import evaluate

METRICS = Path(__file__).parent / "metrics"
MODULES = ("bleu", "rouge", "exact_match")


def score_texts(predictions: Sequence[str], references: Sequence[str]) -> tuple[dict[str, float], dict[str, str]]:
    """Scores by name (BLEU 0 to 100; ROUGE and exact match 0 to 1) and a signature per metric module."""
    scores: dict[str, float] = {}
    signatures: dict[str, str] = {}
    for name in MODULES:
        metric = evaluate.load(str(METRICS / f"{name}.py"), keep_in_memory=True)
        result: dict[str, Any] = metric.compute(predictions=list(predictions), references=list(references))
        signatures[name] = str(result.pop("signature"))
        scores.update({key: float(value) for key, value in result.items()})
    return scores, signatures
