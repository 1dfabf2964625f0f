"""The share of pairs of answers of which the model holds the one likelier that people preferred, from 0 to 1. Knows no model.

One import a line: the reader behind `evaluate.load` parses imports line by line.
"""

from typing import Any

import datasets
import evaluate


class Preference(evaluate.Metric):  # type: ignore[misc]
    """predictions: the negative log-likelihood (nats) of the preferred answers; references: that of the others.

    A row without a pair has 0 for both, which no answer has, and counts nothing. Equal ones are half a preference.
    """

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Share of pairs whose preferred answer is the likelier one.",
            citation="Rafailov et al., 2023: Direct Preference Optimization",
            inputs_description="predictions and references: nats of two answers a row",
            features=datasets.Features(
                {"predictions": datasets.Value("float64"), "references": datasets.Value("float64")}
            ),
        )

    def _compute(self, predictions: list[float], references: list[float]) -> dict[str, Any]:
        rows = [_row(chosen, other) for chosen, other in zip(predictions, references, strict=True)]
        pairs = sum(row[1] for row in rows)
        return {
            "preference": sum(row[0] for row in rows) / pairs if pairs else None,
            "signature": "whole answers and their end|sum of log-probabilities, not divided by length|mean over pairs",
            "rows": {"preference": rows},
        }


def _row(chosen: float, other: float) -> list[float]:
    if not chosen and not other:
        return [0.0, 0.0]
    return [0.5 if chosen == other else float(chosen < other), 1.0]
