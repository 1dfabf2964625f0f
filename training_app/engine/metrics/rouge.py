"""ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004): mean F1 over rows, from 0 to 1, with the Porter stemmer. Knows no model.

One import a line: the reader behind `evaluate.load` parses imports line by line.
"""

import importlib.metadata
from typing import Any

import datasets
import evaluate
from rouge_score.rouge_scorer import RougeScorer

KINDS = ("rouge1", "rouge2", "rougeL")


class Rouge(evaluate.Metric):  # type: ignore[misc]
    """The rouge-score package's F1 of each prediction against its reference, averaged over rows."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="ROUGE F1 with stemming, averaged over rows.",
            citation="Lin, 2004: ROUGE: A Package for Automatic Evaluation of Summaries",
            inputs_description="predictions and references: lists of texts of equal length",
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, Any]:
        scorer = RougeScorer(list(KINDS), use_stemmer=True)
        scores = [
            scorer.score(reference, prediction) for reference, prediction in zip(references, predictions, strict=True)
        ]
        rows = {kind: [[float(score[kind].fmeasure), 1.0] for score in scores] for kind in KINDS}
        means = {kind: sum(row[0] for row in rows[kind]) / max(1, len(scores)) for kind in KINDS}
        version = importlib.metadata.version("rouge-score")
        return {**means, "signature": f"f1|mean over rows|stemmer:porter|version:{version}", "rows": rows}
