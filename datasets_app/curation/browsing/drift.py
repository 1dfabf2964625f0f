"""How the whole moved from one version's folder to another's: labels, lengths, turns, words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from datasets_app.curation.browsing.database import database
from datasets_app.curation.browsing.index import index_of
from datasets_app.curation.browsing.shape import distance, shape_of
from datasets_app.curation.browsing.vocabulary import vocabulary_of
from datasets_app.curation.quality.divergence import jensen_shannon, population_stability

NOTABLE = 0.1  # a tenth of the rows under other labels, or a tenth longer or shorter, is worth a word
NOTABLE_INDEX = 0.25  # of the population stability index: a large shift (Siddiqi 2006)
SHOWN_LABELS, SHOWN_WORDS = 8, 12
RARE = 1e-5  # a share below which words are all alike rare
_TENTHS = "SELECT quantile_cont(characters, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) FROM read_parquet(?)"
_BINS = """
    SELECT len(list_filter(?::DOUBLE[], lambda edge: characters > edge)) AS tenth, count(*)
    FROM read_parquet(?) GROUP BY tenth
"""


@dataclass(frozen=True, slots=True)
class Drift:
    """How the whole moved.

    labels: share of rows under other labels (total variation distance). length: change of the median. turns: their mean.
    label_index, length_index: population stability index over labels, and over characters in tenths of the old rows.
    words: Jensen-Shannon divergence of the commonest words of the training rows. shares: of the labels that moved most,
    before and after. more, fewer: words whose share rose or fell most.
    """

    rows: tuple[int, int]
    labels: float
    length: float
    turns: tuple[float, float]
    label_index: float
    length_index: float
    words: float
    shares: list[tuple[str, float, float]]
    more: list[str]
    fewer: list[str]

    @property
    def is_notable(self) -> bool:
        indexes = max(self.label_index, self.length_index)
        return max(self.labels, abs(self.length), self.words) >= NOTABLE or indexes >= NOTABLE_INDEX


def drift_between(old: Path, new: Path) -> Drift:
    """The drift between two versions by their folders. Refusal where one has no rows."""
    one, other = shape_of(old), shape_of(new)
    words = vocabulary_of(old), vocabulary_of(new)
    moved = _moved(*words)
    middle = one["characters"]["middle"] or 1
    return Drift(
        rows=(one["rows"], other["rows"]),
        labels=distance(one["labels"], other["labels"]) if one["labels"] or other["labels"] else 0.0,
        length=other["characters"]["middle"] / middle - 1,
        turns=(one["turns"], other["turns"]),
        label_index=population_stability(one["labels"], other["labels"]),
        length_index=population_stability(*_lengths(old, new)),
        words=jensen_shannon(*words),
        shares=[each for each in _shares(one["labels"], other["labels"])[:SHOWN_LABELS] if each[1] != each[2]],
        more=[word for word, before, after in moved if after > before][:SHOWN_WORDS],
        fewer=[word for word, before, after in moved if after < before][:SHOWN_WORDS],
    )


def _shares(old: Mapping[str, int], new: Mapping[str, int]) -> list[tuple[str, float, float]]:
    """(value, share before, share after) of all values, what moved most first."""
    sums = max(1, sum(old.values())), max(1, sum(new.values()))
    found = [(each, old.get(each, 0) / sums[0], new.get(each, 0) / sums[1]) for each in {**old, **new}]
    return sorted(found, key=lambda each: -abs(each[1] - each[2]))


def _moved(old: Mapping[str, int], new: Mapping[str, int]) -> list[tuple[str, float, float]]:
    """The words by what each adds to Jeffreys' divergence: it weighs how far a share moved against how rare it is."""
    if not old or not new:
        return []

    def added(each: tuple[str, float, float]) -> float:
        return (each[2] - each[1]) * math.log((each[2] + RARE) / (each[1] + RARE))

    return sorted(_shares(old, new), key=added, reverse=True)


def _lengths(old: Path, new: Path) -> tuple[dict[int, int], dict[int, int]]:
    """Rows of both by the tenth of the old rows that their length falls into."""
    places = [str(index_of(folder)) for folder in (old, new)]
    with database() as connection:
        (edges,) = connection.execute(_TENTHS, [places[0]]).fetchone() or (None,)
        before, after = (dict(connection.execute(_BINS, [edges or [], place]).fetchall()) for place in places)
    return before, after
