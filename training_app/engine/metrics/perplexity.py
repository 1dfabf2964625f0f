"""Perplexity from what each row lost, from 1 upwards. Knows no model: losses and numbers of tokens come from outside.

One import a line: the reader behind `evaluate.load` parses imports line by line.
"""

import math
from typing import Any

import datasets
import evaluate

MOST_NATS = 700.0


class Perplexity(evaluate.Metric):  # type: ignore[misc]
    """exp of the mean loss a token, each token weighing the same.

    predictions: the negative log-likelihood (nats) of each row's answer tokens; references: how many they are.
    """

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Perplexity over answer tokens, each weighing the same. None where there is no token.",
            citation="",
            inputs_description="predictions: nats a row; references: answer tokens a row",
            features=datasets.Features(
                {"predictions": datasets.Value("float64"), "references": datasets.Value("float64")}
            ),
        )

    def _compute(self, predictions: list[float], references: list[float]) -> dict[str, Any]:
        tokens = sum(references)
        perplexity = math.exp(min(sum(predictions) / tokens, MOST_NATS)) if tokens else None
        return {
            "perplexity": perplexity,
            "signature": "answer tokens and their end|weight per token",
            "rows": {"perplexity": [list(row) for row in zip(predictions, references, strict=True)]},
        }
