"""Metrics through `evaluate`, from the metric modules that the project ships. Knows no model and no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

METRICS = Path(__file__).parent / "metrics"
MODULES = ("bleu", "chrf", "rouge", "exact_match", "token_f1")


@dataclass(slots=True)
class Scored:
    """Scores by name, a signature for each metric module, and the statistics of each row that a score is made of."""

    scores: dict[str, float | None] = field(default_factory=dict)
    signatures: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[list[float]]] = field(default_factory=dict)

    def take(self, module: str, predictions: Sequence[Any], references: Sequence[Any], **options: Any) -> None:
        """Measure with one module of `metrics/`, and keep what it says."""
        import evaluate  # late: it loads pandas and datasets, and a safety check scores nothing

        metric = evaluate.load(str(METRICS / f"{module}.py"), keep_in_memory=True)
        found: dict[str, Any] = metric.compute(predictions=list(predictions), references=list(references), **options)
        self.signatures[module] = str(found.pop("signature"))
        self.rows.update(found.pop("rows"))
        self.scores.update(found)


def score_texts(predictions: Sequence[str], references: Sequence[str]) -> Scored:
    """BLEU and chrF from 0 to 100; ROUGE, exact match and token F1 from 0 to 1."""
    scored = Scored()
    for module in MODULES:
        scored.take(module, predictions, references)
    return scored
