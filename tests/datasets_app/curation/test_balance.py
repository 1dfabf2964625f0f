"""Classes made even."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.balance import METHODS, class_weights, effective_classes, imbalance, plan

LABELS = st.lists(st.sampled_from("abc"), min_size=1, max_size=60).map(lambda found: list(enumerate(found)))


def after(labels, made) -> Counter:
    return Counter(label for row, label in labels if row not in made.gone for _ in range(1 + made.again.get(row, 0)))


@given(LABELS, st.sampled_from(METHODS), st.integers(1, 20), st.floats(1, 4))
def test_no_class_is_lost_and_the_bounds_hold(labels, method, cap, ratio):
    made, before = plan(labels, method=method, cap=cap, ratio=ratio, seed=1), Counter(label for _row, label in labels)
    sizes = after(labels, made)
    assert sizes.keys() == before.keys()
    if method == "cap":
        assert max(sizes.values()) <= cap
    elif method == "down_sample":
        assert min(sizes.values()) == min(before.values()) and max(sizes.values()) <= ratio * min(before.values())
    elif method == "up_sample":
        assert not made.gone and max(sizes.values()) == max(before.values())
    else:
        assert sizes == before


@given(LABELS)
def test_the_draw_depends_on_the_seed_alone(labels):
    made = [plan(labels, method="cap", cap=2, ratio=1, seed=5) for _ in range(2)]
    assert made[0] == made[1]


def test_each_class_weighs_the_same_in_sum():
    sizes = {"a": 90, "b": 10}
    weights = class_weights(sizes)
    assert weights["a"] * 90 == pytest.approx(weights["b"] * 10, abs=1e-3)


def test_measures_of_evenness():
    assert imbalance({"a": 9, "b": 3}) == 3.0 and imbalance({}) is None
    assert effective_classes({"a": 5, "b": 5}) == 2.0 and effective_classes({}) == 0.0
