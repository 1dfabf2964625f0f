"""The independent leak check."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.leaks import Copies, leaks, members


def test_a_held_out_copy_counts_once_however_many_it_has():
    assert leaks(["a b c d", "a b c d", "x y"], ["A b, c d!", "p q r"], threshold=0.7) == 1


def test_texts_without_words_are_compared_as_they_are():
    assert leaks(["👍"], ["👍", "👎"], threshold=0.7) == 1


def test_nothing_leaks_into_nothing():
    assert leaks([], ["a b"], threshold=0.7) == leaks(["a b"], [], threshold=0.7) == 0


def test_copies_are_looked_for_among_the_named_places_alone():
    copies = Copies(["a b c", "a b c", "a b c"], threshold=0.7)
    assert list(copies.of(0, lambda place: place != 1)) == [2]


TEXTS = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=9).map(" ".join), max_size=12)


@given(TEXTS, TEXTS, st.sampled_from([0.3, 0.5, 0.7, 0.8, 1.0]))
def test_the_filter_finds_what_comparing_all_pairs_finds(train, held_out, threshold):
    def alike(left, right):
        one, other = members(left), members(right)
        return len(one & other) >= threshold * len(one | other) - 1e-9

    expected = sum(any(alike(text, other) for other in train) for text in held_out)
    assert leaks(train, held_out, threshold=threshold) == expected
