"""Corpus BLEU as sacreBLEU defines it (Post 2018), from 0 to 100. Knows no model.

One import a line: the reader behind `evaluate.load` parses imports line by line.
"""

import datasets
import evaluate
from sacrebleu.metrics.bleu import BLEU


class Bleu(evaluate.Metric):  # type: ignore[misc]
    """sacreBLEU's corpus score of predictions against one reference each, with its reproducibility signature."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Corpus BLEU with sacreBLEU's default tokenisation (13a) and smoothing (exp).",
            citation="Post, 2018: A Call for Clarity in Reporting BLEU Scores",
            inputs_description="predictions and references: lists of texts of equal length",
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float | str]:
        metric = BLEU()
        result = metric.corpus_score(predictions, [references])
        return {"bleu": result.score, "signature": str(metric.get_signature())}
