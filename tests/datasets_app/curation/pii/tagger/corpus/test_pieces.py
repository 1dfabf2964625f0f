from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.pii.tagger.corpus.pieces import Piece, join

labels = st.one_of(st.none(), st.sampled_from(["PERSON", "ADDRESS"]))
pieces = st.lists(st.builds(Piece, st.text(max_size=8), labels), max_size=12)


@given(pieces)
def test_the_joined_text_is_all_pieces_in_order(given_pieces: list[Piece]) -> None:
    assert join(given_pieces).text == "".join(piece.text for piece in given_pieces)


@given(pieces)
def test_each_label_is_exactly_the_labelled_piece_without_white_space_at_its_rim(given_pieces: list[Piece]) -> None:
    joined = join(given_pieces)
    found = [(joined.text[start:end], label) for start, end, label in joined.spans]
    assert found == [(text.strip(), label) for text, label in given_pieces if label and text.strip()]
