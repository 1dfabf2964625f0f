from __future__ import annotations

import random

import pytest

from datasets_app.curation.pii.tagger.corpus.grammar import Grammar
from datasets_app.curation.pii.tagger.corpus.pieces import Piece


def test_slots_become_labelled_pieces_and_alternatives_one_of_them() -> None:
    grammar = Grammar({"hello": ["<hi|hey> {person}!"]}, {"person": lambda rng: [Piece("Dora", "PERSON")]})
    said = {tuple(grammar.say("hello", random.Random(seed))) for seed in range(20)}
    dora = Piece("Dora", "PERSON")
    assert said == {(Piece("hi "), dora, Piece("!")), (Piece("hey "), dora, Piece("!"))}


def test_a_slot_may_be_another_rule() -> None:
    grammar = Grammar({"all": ["{part} {part}"], "part": ["{word}"]}, {"word": lambda rng: [Piece("so")]})
    assert "".join(piece.text for piece in grammar.say("all", random.Random(1))) == "so so"


def test_a_slot_that_does_not_exist_is_named_at_once() -> None:
    with pytest.raises(KeyError, match="hello.*nobody"):
        Grammar({"hello": ["hi {nobody}"]}, {})
