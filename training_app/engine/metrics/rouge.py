"""ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004): mean F1 over rows, from 0 to 1, with the Porter stemmer. Knows no model.

The rouge-score package knows a to z and digits alone; here words are those of any script, the same for texts in ASCII.

One import a line: the reader behind `evaluate.load` parses imports line by line.
"""

import importlib.metadata
from typing import Any

import datasets
import evaluate
from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import Tokenizer

from training_app.engine.words import NAME, words

KINDS = ("rouge1", "rouge2", "rougeL")
STEMMED = 4  # letters or more, as in rouge-score


class Words(Tokenizer):  # type: ignore[misc]
    """Words of any script in lower case; those in ASCII are stemmed, for the stemmer knows English alone."""

    def __init__(self) -> None:
        self._stemmer = PorterStemmer()

    def tokenize(self, text: str) -> list[str]:
        return [self._stem(word) for word in words(text.lower())]

    def _stem(self, word: str) -> str:
        return str(self._stemmer.stem(word)) if len(word) >= STEMMED and word.isascii() else word


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
        scorer = RougeScorer(list(KINDS), tokenizer=Words())
        scores = [
            scorer.score(reference, prediction) for reference, prediction in zip(references, predictions, strict=True)
        ]
        rows = {kind: [[float(score[kind].fmeasure), 1.0] for score in scores] for kind in KINDS}
        means = {kind: sum(row[0] for row in rows[kind]) / max(1, len(scores)) for kind in KINDS}
        version = importlib.metadata.version("rouge-score")
        return {**means, "signature": f"f1|mean over rows|stemmer:porter|tok:{NAME}|version:{version}", "rows": rows}
