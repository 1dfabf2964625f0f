"""From examples to batches of numbers, sorted by length so that little is padded."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from datasets_app.curation.pii.tagger.corpus.generator import Example
from datasets_app.curation.pii.tagger.corpus.pieces import Labelled
from datasets_app.curation.pii.tagger.labels import OUTSIDE, begins
from datasets_app.curation.pii.tagger.tokens import TURN, Token, features, tokenize

LONGEST = 160
BEFORE = 24
"""Tokens of the turns before that are looked at."""
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Tagged:
    """Tokens (text, glued) of an example with their tags."""

    tokens: list[tuple[str, bool]]
    tags: list[int]


@dataclass(frozen=True, slots=True)
class Batch:
    """Arguments of `Network` and the tags, `IGNORED` where there is no token."""

    words: Tensor
    shapes: Tensor
    letters: Tensor
    places: Tensor
    lengths: Tensor
    tags: Tensor


def tags_of(labelled: Labelled, tokens: Sequence[Token]) -> list[int]:
    """The tag of each token: a token belongs to the span that it touches."""
    tags = [OUTSIDE] * len(tokens)
    for start, end, entity in labelled.spans:
        inside = [place for place, token in enumerate(tokens) if token.start < end and token.end > start]
        for place in inside:
            tags[place] = begins(entity) + (place != inside[0])
    return tags


def tagged(example: Example) -> Tagged:
    """Context, the mark between, and text as one row; the context's tags are learnt as well."""
    tokens, tags = tokenize(example.text.text)[:LONGEST], []
    row = [(token.text, token.glued) for token in tokens]
    tags = tags_of(example.text, tokens)
    if example.context.text:
        before = tokenize(example.context.text)
        earlier = tags_of(example.context, before)
        row = [*((token.text, token.glued) for token in before[-BEFORE:]), (TURN, False), *row]
        tags = [*earlier[-BEFORE:], OUTSIDE, *tags]
    return Tagged(row, tags)


def batches(rows: Sequence[Tagged], vocabulary: Mapping[str, int], budget: int, rng: random.Random) -> Iterator[Batch]:
    """All rows in random order of batches, each batch of rows of about one length and of about `budget` tokens."""
    order = sorted((row for row in rows if row.tokens), key=lambda row: len(row.tokens) + rng.random())
    groups: list[list[Tagged]] = [[]]
    for row in order:
        if groups[-1] and (len(groups[-1]) + 1) * len(row.tokens) > budget:
            groups.append([])
        groups[-1].append(row)
    rng.shuffle(groups)
    for group in groups:
        yield batch_of(group, vocabulary)


def batch_of(rows: Sequence[Tagged], vocabulary: Mapping[str, int]) -> Batch:
    """The numbers of some rows."""
    longest = max(len(row.tokens) for row in rows)
    kinds: dict[tuple[str, bool], int] = {}
    places = torch.zeros(len(rows), longest, dtype=torch.long)
    tags = torch.full((len(rows), longest), IGNORED)
    for at, row in enumerate(rows):
        places[at, : len(row.tokens)] = torch.tensor([kinds.setdefault(kind, len(kinds)) for kind in row.tokens])
        tags[at, : len(row.tags)] = torch.tensor(row.tags)
    known = [features(token, vocabulary, glued=glued) for token, glued in kinds]
    return Batch(
        torch.tensor([each.word for each in known]),
        torch.tensor([each.shape for each in known]),
        torch.tensor([each.letters for each in known]),
        places,
        torch.tensor([len(row.tokens) for row in rows]),
        tags,
    )
