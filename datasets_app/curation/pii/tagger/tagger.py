"""The tagger: texts in, findings out. Loads a model folder; needs NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datasets_app.curation.pii.patterns import Span
from datasets_app.curation.pii.tagger.decoding import spans_of
from datasets_app.curation.pii.tagger.forward import ROWS, Floats, Forward, Numbers
from datasets_app.curation.pii.tagger.knowledge import Knowledge
from datasets_app.curation.pii.tagger.labels import OUTSIDE
from datasets_app.curation.pii.tagger.storing import kinds_of, load, vocabulary_of
from datasets_app.curation.pii.tagger.tokens import Token, features, tokenize
from datasets_app.curation.pii.tagger.windows import Kind, Row, rows_of

MODEL = Path(__file__).parent / "model"
"""The model that the studio ships; `make pii-model` makes it again."""
LEAST = 0.32
KNOWN = 0.45
"""The part of `LEAST` that is asked of a word that is written like a name and known as nothing else."""
REMEMBERED = 8192
"""Distinct tokens whose share in the network is kept between calls: 3 kB each."""


class Tagger:
    """Finds people, addresses, places, organisations, and numbers by what is said around them.

    What is found in a text depends on the text and its context alone, not on the texts beside it. Not for several
    threads at once: each call adds to what is remembered of tokens.
    """

    def __init__(self, forward: Forward, vocabulary: dict[str, int], knowledge: Knowledge) -> None:
        self._forward, self._vocabulary, self._knowledge = forward, vocabulary, knowledge
        self._places: dict[Kind, int] = {}
        self._gates = forward.gates([features(".", vocabulary, glued=False)])[:, :0]

    @classmethod
    def load(cls, folder: Path = MODEL) -> Tagger:
        """The tagger of a model folder.

        Raises:
            FileNotFoundError: the folder holds no model.
            ValueError: the model is of another version.
        """
        weights, about = load(folder)
        vocabulary = vocabulary_of(about)
        return cls(Forward(weights, float(about["temperature"])), vocabulary, Knowledge(kinds_of(about), vocabulary))

    def spans(
        self, texts: Sequence[str], contexts: Sequence[Sequence[str]] | None = None, least: float = LEAST
    ) -> list[list[Span]]:
        """Findings of each text in order, without overlaps.

        Args:
            contexts: for each text the turns before it in its conversation, oldest first; offsets are of the text
                alone. Without it every text stands alone.
            least: tokens less likely than this, from 0 to 1, to belong to anything are left out; what may well be a name
                needs less.
        """
        tokens = [tokenize(text) for text in texts]
        earlier: Sequence[Sequence[str]] = contexts if contexts is not None else [()] * len(texts)
        rows = [
            row
            for number, turns in enumerate(earlier)
            if not self._knowledge.names_nobody(tokens[number])
            for row in rows_of(number, tokens[number], turns)
        ]
        judged: list[list[Floats]] = [[] for _ in texts]
        for row, tags in zip(rows, self._tags(rows), strict=True):
            judged[row.number].append(tags)
        return [
            self._believed(each, np.concatenate(tags) if len(tags) > 1 else tags[0], least) if tags else []
            for each, tags in zip(tokens, judged, strict=True)
        ]

    def _believed(self, tokens: Sequence[Token], tags: Floats, least: float) -> list[Span]:
        """The findings that are sure enough for the words they are made of."""
        if float(tags[:, OUTSIDE].min()) > 1.0 - least * KNOWN:
            return []
        figures = [least * KNOWN if self._knowledge.may_be_name(token.text) else least for token in tokens]
        spans = spans_of(tokens, tags, np.array(figures, np.float32))
        if not spans:
            return spans
        shouts = all(token.text.isupper() for token in tokens if token.text[0].isalpha())
        return [
            span
            for span in spans
            if span.score
            >= self._knowledge.least(
                [token for token in tokens if span.start <= token.start and token.end <= span.end],
                span.entity_type,
                shouts=shouts,
            )
        ]

    def _tags(self, rows: Sequence[Row]) -> list[Floats]:
        """(judged tokens, tags) probabilities of each row; rows of about one length are worked on together."""
        found: dict[int, Floats] = {}
        order = sorted(range(len(rows)), key=lambda at: len(rows[at].kinds))
        for start in range(0, len(order), ROWS[-1]):
            block = order[start : start + ROWS[-1]]
            places, lengths = self._numbers([rows[at].kinds for at in block])
            tags = self._forward.probabilities(self._gates, places, lengths)
            found |= {at: tags[line, rows[at].first : rows[at].last] for line, at in enumerate(block)}
        return [found[at] for at in range(len(rows))]

    def _numbers(self, block: Sequence[Sequence[Kind]]) -> tuple[Numbers, Numbers]:
        """Places in what is remembered (rows, T) and lengths (rows,), filled up to one of `ROWS`; what is new is looked
        at first."""
        kinds = dict.fromkeys(kind for row in block for kind in row)
        new = [kind for kind in kinds if kind not in self._places]
        if len(self._places) + len(new) > REMEMBERED:
            self._places, self._gates, new = {}, self._gates[:, :0], list(kinds)
        if new:
            self._places |= {kind: place for place, kind in enumerate(new, start=len(self._places))}
            known = self._forward.gates([features(text, self._vocabulary, glued=glued) for text, glued in new])
            self._gates = np.concatenate([self._gates, known], axis=1)
        rows = next(rows for rows in ROWS if rows >= len(block))
        lengths = np.ones(rows, np.int64)
        lengths[: len(block)] = [len(row) for row in block]
        places = np.zeros((rows, int(lengths.max())), np.int64)
        for line, row in enumerate(block):
            places[line, : len(row)] = [self._places[kind] for kind in row]
        return places, lengths
