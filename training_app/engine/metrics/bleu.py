"""Corpus BLEU as sacreBLEU defines it (Post 2018), from 0 to 100. Knows no model.

Letters of scripts without spaces between words are set apart before sacreBLEU's usual tokeniser (13a): for Chinese this is
what its `zh` does, and one score serves every language; `char` would take Latin words apart, `ja-mecab` needs a dictionary.
One import a line: the reader behind `evaluate.load` parses imports line by line.
"""

from typing import Any

import datasets
import evaluate
from sacrebleu.metrics.bleu import BLEU

from training_app.engine.words import NAME, set_apart


class Bleu(evaluate.Metric):  # type: ignore[misc]
    """sacreBLEU's corpus score of predictions against one reference each, with its signature.

    `rows` holds for each row: words said, words of the reference, then matched and all runs of 1 to 4 words.
    """

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Corpus BLEU with sacreBLEU's default tokenisation (13a) and smoothing (exp).",
            citation="Post, 2018: A Call for Clarity in Reporting BLEU Scores",
            inputs_description="predictions and references: lists of texts of equal length",
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, Any]:
        metric = BLEU()
        predictions, references = ([set_apart(text) for text in texts] for texts in (predictions, references))
        result = metric.corpus_score(predictions, [references])
        # The counts behind the score, as sacreBLEU's own significance tests take them.
        rows = metric._extract_corpus_statistics(predictions, [references])
        return {
            "bleu": result.score,
            "signature": f"{metric.get_signature()}|set apart:{NAME}",
            "rows": {"bleu": [list(map(int, row)) for row in rows]},
        }
