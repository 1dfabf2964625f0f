"""Training from generated examples, which never repeat, on one thread. The same seed and plan give the same weights."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from datasets_app.curation.pii.tagger.batches import IGNORED, Tagged, batches, tagged
from datasets_app.curation.pii.tagger.corpus.generator import Generator
from datasets_app.curation.pii.tagger.network import Network, Size
from datasets_app.curation.pii.tagger.tokens import FIRST_WORD, RARE, TURN, UNKNOWN, key

CHUNK = 6000
"""Examples generated, sorted by length and learnt at a time."""
SEEN_OFTEN = 6
LARGEST_VOCABULARY = 16000


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is learnt.

    Attributes:
        examples: generated texts in all.
        vocabulary_from: texts whose words make the vocabulary.
        budget: tokens in a batch.
        rate: the highest learning rate; it rises over the first twentieth and falls to nothing along a cosine.
    """

    examples: int = 360_000
    vocabulary_from: int = 50_000
    budget: int = 1200
    rate: float = 2.5e-3
    forget: float = 0.15
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Trained:
    """A network in evaluation mode, the vocabulary that it was trained with, and the kind of each number of it."""

    network: Network
    size: Size
    vocabulary: dict[str, int]
    kinds: list[int]


def vocabulary_of(generator: Generator, count: int, seed: int) -> dict[str, int]:
    """Words of `count` texts seen often enough, the commonest first; the other known words share a number by kind."""
    rng = random.Random(f"vocabulary {seed}")
    seen = Counter(key(token) for _ in range(count) for token, _ in tagged(generator.example(rng)).tokens)
    kept = [word for word, times in seen.most_common(LARGEST_VOCABULARY) if times >= SEEN_OFTEN and word != TURN]
    rare = {word: RARE[kind] for word, kind in generator.kinds.items()}
    return rare | {word: place for place, word in enumerate((TURN, *kept), start=FIRST_WORD)}


def kinds_of(generator: Generator, vocabulary: Mapping[str, int]) -> list[int]:
    """For each number the number that its word would have as a rare one."""
    kinds = list(range(FIRST_WORD)) + [UNKNOWN] * (max(vocabulary.values()) + 1 - FIRST_WORD)
    for word, number in vocabulary.items():
        if number >= FIRST_WORD and word in generator.kinds:
            kinds[number] = RARE[generator.kinds[word]]
    return kinds


def _chunks(generator: Generator, plan: Plan, rng: random.Random) -> Iterator[list[Tagged]]:
    for start in range(0, plan.examples, CHUNK):
        yield [tagged(generator.example(rng)) for _ in range(min(CHUNK, plan.examples - start))]


def rate_at(done: float) -> float:
    """The share of the highest learning rate at a point of training from 0 to 1."""
    return min(1.0, done / 0.05) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Several threads would add gradients up in an order that changes from run to run."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@_one_thread()
def train(generator: Generator, plan: Plan, tell: Callable[[int, float], None]) -> Trained:
    """A network trained on the plan's examples.

    Args:
        tell: called after each chunk with the number of examples learnt and the chunk's mean loss.
    """
    torch.manual_seed(plan.seed)
    rng = random.Random(plan.seed)
    vocabulary = vocabulary_of(generator, plan.vocabulary_from, plan.seed)
    kinds = kinds_of(generator, vocabulary)
    size = Size(vocabulary=len(kinds))
    network = Network(size, kinds).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=0.01, fused=True)
    learnt = 0
    for rows in _chunks(generator, plan, rng):
        losses: list[float] = []
        for batch in batches(rows, vocabulary, plan.budget, rng):
            for group in optimizer.param_groups:
                group["lr"] = plan.rate * rate_at(learnt / plan.examples)
            logits = network(batch.words, batch.shapes, batch.letters, batch.places, batch.lengths, plan.forget)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), batch.tags.flatten(), ignore_index=IGNORED)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
            learnt += len(batch.lengths)
        tell(learnt, sum(losses) / len(losses))
    return Trained(network.eval(), size, vocabulary, kinds)
