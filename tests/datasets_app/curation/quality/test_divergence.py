"""How far apart two counts are."""

from __future__ import annotations

import math

import pytest

from datasets_app.curation.quality.divergence import jensen_shannon, population_stability


def test_what_did_not_move_is_at_zero():
    counts = {"a": 30, "b": 10}
    assert population_stability(counts, counts) == jensen_shannon(counts, counts) == 0
    assert population_stability({}, {}) == jensen_shannon({}, counts) == 0


def test_the_stability_index_is_that_of_the_books():
    old, new = {"low": 5000, "high": 5000}, {"low": 4000, "high": 6000}
    by_hand = (0.4 - 0.5) * math.log(0.4 / 0.5) + (0.6 - 0.5) * math.log(0.6 / 0.5)
    assert population_stability(old, new) == pytest.approx(by_hand, rel=1e-3)
    assert population_stability(old, new) == pytest.approx(population_stability(new, old))


def test_a_value_that_is_new_makes_the_index_large_and_not_infinite():
    assert 1 < population_stability({"a": 100}, {"b": 100}) < 20


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [({"a": 1}, {"b": 7}, 1.0), ({"a": 1, "b": 1}, {"a": 1}, 0.3113), ({"a": 2, "b": 2}, {"a": 9, "b": 9}, 0.0)],
)
def test_jensen_shannon_lies_between_none_and_all(one, other, far):
    assert jensen_shannon(one, other) == pytest.approx(far, abs=1e-4) == jensen_shannon(other, one)
