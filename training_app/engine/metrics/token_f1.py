"""Token F1: how many words an answer shares with its reference, mean over rows, from 0 to 1. Knows no model.

As in SQuAD (Rajpurkar et al. 2016), but no English article is left out: answers come in any language.
One import a line: the reader behind `evaluate.load` parses imports line by line.
"""

from collections import Counter
from typing import Any

import datasets
import evaluate

from training_app.engine.words import NAME, words


class TokenF1(evaluate.Metric):  # type: ignore[misc]
    """Harmonic mean of precision and recall over words, in any order; both texts empty is 1, one of them is 0."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="F1 over words after case folding, punctuation left out, averaged over rows.",
            citation="Rajpurkar et al., 2016: SQuAD: 100,000+ Questions for Machine Comprehension of Text",
            inputs_description="predictions and references: lists of texts of equal length",
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, Any]:
        pairs = zip(predictions, references, strict=True)
        rows = [[_f1(_words(prediction), _words(reference)), 1.0] for prediction, reference in pairs]
        return {
            "token_f1": sum(row[0] for row in rows) / max(1, len(rows)),
            "signature": f"casefold|tok:{NAME}|order ignored|mean over rows",
            "rows": {"token_f1": rows},
        }


def _words(text: str) -> Counter[str]:
    return Counter(words(text.casefold()))


def _f1(said: Counter[str], wanted: Counter[str]) -> float:
    if not said or not wanted:
        return float(said == wanted)
    return 2.0 * (said & wanted).total() / (said.total() + wanted.total())
