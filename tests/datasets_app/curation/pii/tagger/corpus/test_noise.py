from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.pii.tagger.corpus import noise
from datasets_app.curation.pii.tagger.corpus.pieces import Piece, join


@given(st.text(alphabet="abcdefgh", min_size=4, max_size=12), st.integers())
def test_a_slip_changes_little_and_keeps_the_first_letter(word: str, seed: int) -> None:
    slipped = noise.slip(word, random.Random(seed))
    assert slipped[0] == word[0]
    assert abs(len(slipped) - len(word)) <= 1


def test_letters_lose_their_accents() -> None:
    assert noise.plain_letters("Žofie Åström") == "Zofie Astrom"


@pytest.mark.parametrize("typed", [noise.as_typed, noise.as_chat])
@given(seed=st.integers())
def test_noise_never_moves_text_between_labelled_and_ordinary_pieces(typed: object, seed: int) -> None:
    pieces = [
        Piece("my name is "),
        Piece("Straße İpek", "PERSON"),
        Piece(", hello there."),
        Piece("12 Main St.", "ADDRESS"),
    ]
    changed = typed(pieces, random.Random(seed))  # type: ignore[operator]
    kept = [piece for piece in changed if piece.label]
    assert [piece.label for piece in kept] == ["PERSON", "ADDRESS"]
    joined = join(changed)
    assert [joined.text[start:end] for start, end, _ in joined.spans] == [piece.text.strip() for piece in kept]
