"""The independent leak check."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation import leaks
from datasets_app.curation.leaks import copies, leaking, sentence
from datasets_app.curation.membersets import MemberSets, members


def found(train, held_out, *, threshold=0.7):
    with MemberSets(enumerate(train)) as trained, MemberSets(enumerate(held_out)) as held:
        return leaking(trained, held, threshold=threshold)


def test_a_held_out_copy_counts_once_however_many_it_has():
    assert found(["a b c d", "a b c d", "x y"], ["A b, c d!", "p q r"]) == {0: 0}


def test_texts_without_words_are_compared_as_they_are():
    assert found(["👍"], ["👍", "👎"]) == {0: 0}


def test_nothing_leaks_into_nothing():
    assert found([], ["a b"]) == found(["a b"], []) == {}


def test_only_wanted_pairs_are_compared():
    with MemberSets(enumerate(["a b c", "a b c"])) as sets:
        pairs = copies(sets.batches, sets.batches, threshold=0.7, wanted=lambda left, right: left != right)
        assert sorted(pairs) == [(0, 1), (1, 0)]


def test_the_number_is_a_sentence():
    assert sentence(0, 412, of="test", threshold=0.7) == (
        "0 of 412 test rows have a near-duplicate in train (alike by 0.7 or more)."
    )
    assert sentence(1, 2000, of="validation", threshold=0.55, asked=1) == (
        "1 of 2,000 validation rows has a near-duplicate in train (alike by 0.55 or more), or the same question (1)."
    )


TEXTS = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=9).map(" ".join), max_size=12)


def by_all_pairs(train, held_out, threshold):
    def alike(left, right):
        one, other = (set(members(text).tolist()) for text in (left, right))
        return len(one & other) >= threshold * len(one | other) - 1e-9

    return {place for place, text in enumerate(held_out) if any(alike(text, other) for other in train)}


@given(TEXTS, TEXTS, st.sampled_from([0.3, 0.5, 0.7, 0.8, 1.0]))
def test_the_filter_finds_what_comparing_all_pairs_finds(train, held_out, threshold):
    assert set(found(train, held_out, threshold=threshold)) == by_all_pairs(train, held_out, threshold)


@pytest.mark.parametrize("block", [1, 40])
def test_blocks_and_batches_change_nothing(monkeypatch, block):
    train = [f"{a} {b} {c}" for a in "abc" for b in "def" for c in "ghi"]
    held_out = [f"{a} {b} q" for a in "abcx" for b in "def"]
    whole = set(found(train, held_out, threshold=0.4))
    for name in ("BLOCK_MEMBERS", "BATCH_MEMBERS", "PAIRS_AT_ONCE"):
        monkeypatch.setattr(leaks, name, block)
    assert set(found(train, held_out, threshold=0.4)) == whole == by_all_pairs(train, held_out, 0.4)
