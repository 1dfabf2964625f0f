"""Where a verdict comes from: by class, by length of the question, and which rows to read. Knows no model and no file."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from training_app.engine.data import Row
from training_app.engine.intervals import compare
from training_app.engine.sums import Numbers, mean
from training_app.engine.words import count_words

MOST_CLASSES = 50
PARTS = (0.25, 0.5, 0.75)
RESAMPLES = 1000
SHOWN = 10
SHORT_ANSWER_WORDS = 3


def headline(references: Sequence[str], *, label_rows: int, learned_pairs: bool = False) -> str:
    """The one score that the verdict is about, chosen from the data before anything is measured.

    What learned from pairs of answers, and is tested on some: which of the two it holds likelier. Half of the answers or
    more are labels: accuracy. Answers of three words or fewer in the middle: whether they are the same. Else ROUGE-L.
    """
    if learned_pairs:
        return "preference"
    if label_rows and 2 * label_rows >= len(references):
        return "accuracy"
    middle = float(np.median([count_words(reference) for reference in references]))
    return "exact_match" if middle <= SHORT_ANSWER_WORDS else "rougeL"


def by_class(
    rows: Sequence[Row], name: str, base: Numbers, tuned: Numbers, *, groups: Sequence[str], seed: int
) -> list[dict[str, Any]]:
    """The headline score of each label, the largest classes first, fifty at most."""
    places: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        if row.label:
            places.setdefault(row.label, []).append(index)
    largest = sorted(places, key=lambda label: (-len(places[label]), label))[:MOST_CLASSES]
    found = [{"label": label, **_part(name, base, tuned, places[label], groups, seed=seed)} for label in largest]
    return [each for each in found if each["rows"]]


def by_length(
    words: Sequence[int], name: str, base: Numbers, tuned: Numbers, *, groups: Sequence[str], seed: int
) -> list[dict[str, Any]]:
    """The headline score of up to four parts of the rows, from short questions to long ones; `words` is their length."""
    lengths = np.asarray(words)
    edges = np.unique(np.quantile(lengths, PARTS, method="lower"))
    part_of = np.searchsorted(edges, lengths, side="left")
    found = []
    for part in np.unique(part_of):
        places = np.flatnonzero(part_of == part).tolist()
        span = {"from": int(lengths[places].min()), "to": int(lengths[places].max())}
        found.append({**span, **_part(name, base, tuned, places, groups, seed=seed)})
    return [each for each in found if each["rows"]]


def _part(
    name: str, base: Numbers, tuned: Numbers, places: list[int], groups: Sequence[str], *, seed: int
) -> dict[str, Any]:
    inside = [groups[place] for place in places]
    found = compare({name: base[places]}, {name: tuned[places]}, seed=seed, resamples=RESAMPLES, groups=inside)[name]
    return found.as_json() if found.rows else {"rows": 0}


def rows_to_read(base: Numbers, tuned: Numbers, nats: Sequence[float], *, seed: int) -> dict[str, list[int]]:
    """Places of the rows that gained most, that lost most, and of some drawn at random.

    Equal gains are told apart by the tuned model's score, then by how much it lost on the reference.
    """
    counted = [index for index in range(len(base)) if tuned[index].any() or base[index].any()]
    score, gain = mean(tuned), mean(tuned) - mean(base)
    order = sorted(counted, key=lambda index: (gain[index], score[index], -nats[index], index))
    drawn = sorted(random.Random(seed).sample(counted, min(SHOWN, len(counted))))
    return {"best": order[::-1][:SHOWN], "worst": order[:SHOWN], "random": drawn}
