"""Accuracy and macro-F1 of chosen labels, from 0 to 1. Knows no model: the labels were chosen elsewhere.

One import a line: the reader behind `evaluate.load` parses imports line by line.
"""

from typing import Any

import datasets
import evaluate


class Classification(evaluate.Metric):  # type: ignore[misc]
    """Predictions and references are labels. macro-F1 is the mean of the F1 of each label that occurs in either.

    `rows` holds for accuracy whether the row is right and 1, for macro_f1 a column for right, chosen and true of each
    label.
    """

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Accuracy and macro-F1 over the labels that occur.",
            citation="",
            inputs_description="predictions and references: lists of labels of equal length",
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions: list[str], references: list[str], labels: list[str]) -> dict[str, Any]:
        place = {label: index for index, label in enumerate(labels)}
        right, chosen, true = ([0] * len(labels) for _ in range(3))
        columns = []
        for said, wanted in zip(predictions, references, strict=True):
            row = [0] * (3 * len(labels))
            row[3 * place[said] + 1] = row[3 * place[wanted] + 2] = 1
            row[3 * place[said]] = int(said == wanted)
            chosen[place[said]] += 1
            true[place[wanted]] += 1
            right[place[said]] += said == wanted
            columns.append(row)
        seen = [index for index in range(len(labels)) if chosen[index] + true[index]]
        scores = [2 * right[index] / (chosen[index] + true[index]) for index in seen]
        hits = [[float(said == wanted), 1.0] for said, wanted in zip(predictions, references, strict=True)]
        return {
            "accuracy": sum(row[0] for row in hits) / max(1, len(hits)),
            "macro_f1": sum(scores) / max(1, len(scores)),
            "signature": f"{len(labels)} labels|macro over labels that occur",
            "rows": {"accuracy": hits, "macro_f1": columns},
        }
