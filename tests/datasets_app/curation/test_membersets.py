"""Sets of words on disk."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_app.curation import membersets
from datasets_app.curation.membersets import MemberSets, members

TEXTS = [(3, "a b c"), (4, "d"), (7, ""), (9, "a b a b"), (20, "e f g h i")]


def read(sets, most, wanted=None):
    found = []
    for places, sizes, values in sets.batches(most, wanted):
        ends = np.cumsum(sizes)
        assert len(values) == ends[-1] and (len(places) == 1 or len(values) <= most)
        found += zip(places.tolist(), [part.tolist() for part in np.split(values, ends[:-1])], strict=True)
    return found


@pytest.mark.parametrize("most", [1, 5, 1000])
@pytest.mark.parametrize("written_at_once", [1, 4, 1000])
def test_sets_come_back_as_they_were_made_however_many_at_a_time(monkeypatch, tmp_path, most, written_at_once):
    monkeypatch.setattr(membersets, "_WRITTEN_AT_ONCE", written_at_once)
    with MemberSets(TEXTS, tmp_path) as sets:
        assert read(sets, most) == [(place, members(text).tolist()) for place, text in TEXTS]
        assert read(sets, most) == read(sets, 7), "they can be read again"
        assert not list(tmp_path.iterdir()), "the file has no name that could be left behind"


@pytest.mark.parametrize("most", [1, 5, 1000])
def test_only_wanted_places_are_read(most):
    wanted = np.zeros(21, dtype=bool)
    wanted[[4, 9, 20]] = True
    with MemberSets(TEXTS) as sets:
        assert read(sets, most, wanted) == [(place, members(dict(TEXTS)[place]).tolist()) for place in (4, 9, 20)]
        assert read(sets, most, np.zeros(21, dtype=bool)) == []


def test_no_texts_are_no_sets():
    with MemberSets([]) as sets:
        assert read(sets, 10) == []


def test_many_sets_far_apart_are_read_piece_by_piece():
    texts = [(place, f"word{place} and more") for place in range(10_000)]
    wanted = np.arange(10_000) % 97 == 0
    with MemberSets(texts) as sets:
        assert [place for place, _set in read(sets, 50, wanted)] == list(range(0, 10_000, 97))
