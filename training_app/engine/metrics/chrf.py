"""chrF as sacreBLEU defines it (Popović 2015), from 0 to 100. Knows no model.

One import a line: the reader behind `evaluate.load` parses imports line by line.
"""

from typing import Any

import datasets
import evaluate
from sacrebleu.metrics.chrf import CHRF


class Chrf(evaluate.Metric):  # type: ignore[misc]
    """sacreBLEU's corpus chrF of predictions against one reference each, with its signature.

    `rows` holds for each row and each length of 1 to 6 letters: runs said, runs of the reference, runs in common.
    """

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Corpus chrF with sacreBLEU's defaults: runs of up to 6 letters, recall weighs twice.",
            citation="Popović, 2015: chrF: character n-gram F-score for automatic MT evaluation",
            inputs_description="predictions and references: lists of texts of equal length",
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, Any]:
        metric = CHRF()
        result = metric.corpus_score(predictions, [references])
        # The counts behind the score, as sacreBLEU's own significance tests take them.
        rows = metric._extract_corpus_statistics(predictions, [references])
        return {
            "chrf": result.score,
            "signature": str(metric.get_signature()),
            "rows": {"chrf": [list(map(int, row)) for row in rows]},
        }
