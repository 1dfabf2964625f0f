"""Scores from sums of per-row statistics, many sums at once. Knows no text and no model.

A score of many rows is a function of the sum of what each row brings: right answers and rows, nats and tokens, matched
runs of words. So a resampled score needs no text again, and a thousand of them are one matrix product.
The last axis of `sums` holds the columns that a metric module gives in `rows`; the result has the other axes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Score = Callable[[Numbers], Numbers]
ORDERS = 4
LETTER_ORDERS = 6
BETA_SQUARED = 4.0
TINY = 1e-16
MOST_NATS = 700.0


def mean(sums: Numbers) -> Numbers:
    """The first column over the second; not a number where nothing was counted."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Numbers = sums[..., 0] / sums[..., 1]
    return found


def perplexity(sums: Numbers) -> Numbers:
    """exp of nats a token."""
    found: Numbers = np.exp(np.minimum(mean(sums), MOST_NATS))
    return found


def log_mean(sums: Numbers) -> Numbers:
    """The logarithm of nats a token: a difference of two says by what factor the loss changed."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Numbers = np.log(np.maximum(mean(sums), TINY))
    return found


def bleu(sums: Numbers) -> Numbers:
    """sacreBLEU's corpus BLEU with exponential smoothing: columns are lengths said and wanted, matches, runs."""
    said, wanted = sums[..., 0], sums[..., 1]
    matched, runs = sums[..., 2 : 2 + ORDERS], sums[..., 2 + ORDERS : 2 + 2 * ORDERS]
    with np.errstate(invalid="ignore", divide="ignore"):
        brevity = np.where(said < wanted, np.exp(1.0 - wanted / said), 1.0)
        brevity = np.where(said > 0, brevity, np.where(wanted > 0, 0.0, 1.0))
        smoothing = 2.0 ** np.cumsum(matched == 0, axis=-1)
        precision = np.where(matched > 0, matched / runs, 1.0 / (smoothing * runs))
        score = 100.0 * brevity * np.exp(np.log(precision).mean(axis=-1))
    nothing = (matched.sum(axis=-1) == 0) | (runs == 0).any(axis=-1)
    found: Numbers = np.where(nothing, 0.0, score)
    return found


def chrf(sums: Numbers) -> Numbers:
    """sacreBLEU's corpus chrF2: for each length of letters the runs said, wanted and in common."""
    said, wanted, common = (sums[..., part::3][..., :LETTER_ORDERS] for part in range(3))
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(said > 0, common / said, TINY)
        recall = np.where(wanted > 0, common / wanted, TINY)
        counts = (said > 0) & (wanted > 0)
        orders = counts.sum(axis=-1)
        precision = np.where(counts, precision, 0.0).sum(axis=-1) / orders
        recall = np.where(counts, recall, 0.0).sum(axis=-1) / orders
        score = 100.0 * (1.0 + BETA_SQUARED) * precision * recall / (BETA_SQUARED * precision + recall)
    found: Numbers = np.where((orders > 0) & (precision + recall > 0), score, 0.0)
    return found


def macro_f1(sums: Numbers) -> Numbers:
    """Mean F1 of the labels that occur: for each label the rows that are right, chosen and true."""
    right, either = sums[..., 0::3], sums[..., 1::3] + sums[..., 2::3]
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.where(either > 0, 2.0 * right / either, 0.0)
        found: Numbers = each.sum(axis=-1) / (either > 0).sum(axis=-1)
    return found


SCORES: dict[str, Score] = {
    "perplexity": perplexity,
    "bleu": bleu,
    "chrf": chrf,
    "rouge1": mean,
    "rouge2": mean,
    "rougeL": mean,
    "exact_match": mean,
    "token_f1": mean,
    "accuracy": mean,
    "macro_f1": macro_f1,
    "preference": mean,
    "log_loss": log_mean,
}
# Which module measures a score, where it is not the one of its name.
MEASURED_BY = {
    **dict.fromkeys(("rouge1", "rouge2", "rougeL"), "rouge"),
    **dict.fromkeys(("accuracy", "macro_f1"), "classification"),
}
LOWER_IS_BETTER = frozenset({"perplexity", "log_loss"})
