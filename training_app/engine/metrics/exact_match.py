"""The share of answers that equal their reference, from 0 to 1, regardless of case and white space. Knows no model.

One import a line: the reader behind `evaluate.load` parses imports line by line.
"""

import unicodedata
from typing import Any

import datasets
import evaluate


class ExactMatch(evaluate.Metric):  # type: ignore[misc]
    """Equality of the same letters, however composed, after case folding and with every run of white space as one space."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Share of predictions equal to their reference after case folding and white-space folding.",
            citation="",
            inputs_description="predictions and references: lists of texts of equal length",
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, Any]:
        pairs = zip(predictions, references, strict=True)
        rows = [[float(_folded(prediction) == _folded(reference)), 1.0] for prediction, reference in pairs]
        return {
            "exact_match": sum(row[0] for row in rows) / max(1, len(rows)),
            "signature": "casefold|NFC|white space folded|mean over rows",
            "rows": {"exact_match": rows},
        }


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
