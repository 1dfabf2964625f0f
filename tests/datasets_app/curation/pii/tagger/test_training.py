from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from datasets_app.curation.pii.tagger.batches import batch_of, tagged
from datasets_app.curation.pii.tagger.corpus.generator import Generator
from datasets_app.curation.pii.tagger.forward import ROWS, Forward
from datasets_app.curation.pii.tagger.storing import load, save, vocabulary_of
from datasets_app.curation.pii.tagger.tokens import RARE, UNKNOWN, features
from datasets_app.curation.pii.tagger.training import Plan, Trained, rate_at, train

PLAN = Plan(examples=240, vocabulary_from=200)


def weights(trained: Trained) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in trained.network.state_dict().items()}


def test_words_that_are_not_learnt_by_themselves_share_the_number_of_their_kind(trained: Trained) -> None:
    assert trained.vocabulary["kayak"] == RARE["english"] and trained.vocabulary["mark"] == RARE["plain"]
    assert trained.vocabulary["marseille"] == RARE["place"] and min(trained.vocabulary.values()) > UNKNOWN


@pytest.fixture
def trained(generator: Generator) -> Trained:
    return train(generator, PLAN, lambda learnt, loss: None)


def test_training_again_gives_the_same_weights(generator: Generator, trained: Trained) -> None:
    again = train(generator, PLAN, lambda learnt, loss: None)
    assert again.vocabulary == trained.vocabulary
    for name, array in weights(trained).items():
        assert np.array_equal(array, weights(again)[name]), name


def test_the_inference_in_numpy_gives_what_the_network_gives(
    generator: Generator, trained: Trained, tmp_path: Path
) -> None:
    save(
        tmp_path,
        weights(trained),
        {"size": trained.size.as_dict(), "temperature": 1.0},
        trained.vocabulary,
        trained.kinds,
    )
    kept, about = load(tmp_path)
    assert vocabulary_of(about) == trained.vocabulary
    assert about["size"]["vocabulary"] == trained.size.vocabulary
    trained.network.load_state_dict({name: torch.from_numpy(array) for name, array in kept.items()})
    rng = random.Random(4)
    rows = [row for row in (tagged(generator.example(rng)) for _ in range(40)) if row.tokens]
    batch = batch_of(rows, trained.vocabulary)
    with torch.inference_mode():
        logits = trained.network(batch.words, batch.shapes, batch.letters, batch.places, batch.lengths)
    wanted = logits.softmax(-1).numpy()
    kinds = list(dict.fromkeys(kind for row in rows for kind in row.tokens))
    forward = Forward(kept)
    gates = forward.gates([features(text, trained.vocabulary, glued=glued) for text, glued in kinds])
    places = np.zeros((ROWS[-1], batch.places.shape[1]), np.int64)
    lengths = np.ones(ROWS[-1], np.int64)
    for line, row in enumerate(rows):
        places[line, : len(row.tokens)] = [kinds.index(kind) for kind in row.tokens]
        lengths[line] = len(row.tokens)
    found = forward.probabilities(gates, places, lengths)
    for line, row in enumerate(rows):
        assert np.allclose(found[line, : len(row.tokens)], wanted[line, : len(row.tokens)], atol=0.01)


def test_the_learning_rate_rises_and_falls_to_nothing() -> None:
    assert rate_at(0.0) == 0.0
    assert rate_at(0.05) > 0.9
    assert rate_at(1.0) == pytest.approx(0.0)
