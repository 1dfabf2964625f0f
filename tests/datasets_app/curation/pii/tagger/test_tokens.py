from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.pii.tagger.tokens import CHARACTERS, LETTERS, SHAPES, features, key, tokenize


@given(st.text())
def test_tokens_are_slices_of_the_text_in_order_and_only_white_space_lies_between(text: str) -> None:
    at = 0
    for token in tokenize(text):
        assert text[token.start : token.end] == token.text
        assert text[at : token.start].strip() == ""
        assert token.glued == (token.start == at and at > 0)
        at = token.end
    assert text[at:].strip() == ""


@given(st.text())
def test_features_stay_inside_the_tables_of_the_network(text: str) -> None:
    for token in tokenize(text):
        word, shape, letters = features(token.text, {}, glued=token.glued)
        assert word == 1
        assert 0 <= shape < SHAPES
        assert len(letters) == LETTERS
        assert all(0 <= letter < CHARACTERS for letter in letters)


def test_long_numbers_are_known_by_their_length_and_words_without_case() -> None:
    assert key("4711") == key("1234") == "#4"
    assert key("42") == "42"
    assert key("Main") == key("MAIN") == "main"
