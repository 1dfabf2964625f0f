"""How varied texts are."""

from __future__ import annotations

import random

import numpy as np
import pytest

from datasets_app.curation.dedupe import words
from datasets_app.curation.quality import diversity
from datasets_app.curation.quality.diversity import Commonest, Distinct, Lengths, expected_distinct


def test_a_draw_holds_as_many_different_things_as_by_hand():
    counts = np.array([2, 1, 1, 0])
    assert expected_distinct(counts, 4) == pytest.approx(3)
    assert expected_distinct(counts, 1) == pytest.approx(1)
    assert expected_distinct(counts, 2) == pytest.approx(2 - 1 / 6)  # one of the six pairs is the same thing twice


def shares(texts: list[str]) -> dict[str, float]:
    found = Distinct()
    found.add([words(text) for text in texts])
    return found.shares()


def test_distinct_words_and_pairs_are_shares_of_all():
    assert shares(["a b c", "a b d"]) == {"one": pytest.approx(4 / 6, abs=1e-3), "two": pytest.approx(3 / 4, abs=1e-3)}
    assert shares([]) == {"one": 0.0, "two": 0.0}


def test_more_rows_of_the_same_kind_are_as_varied_and_their_order_says_nothing():
    chance = random.Random(1)
    texts = [" ".join(f"w{chance.randrange(2000)}" for _ in range(10)) for _ in range(4000)]
    half, whole = shares(texts[:2000]), shares(texts)
    assert half["one"] == pytest.approx(whole["one"], abs=0.01)
    assert shares(sorted(texts)) == whole


def test_templates_are_less_varied_than_prose():
    chance = random.Random(2)
    templates = [f"please tell me where my parcel {chance.randrange(99)} is" for _ in range(1000)]
    prose = [" ".join(f"w{chance.randrange(3000)}" for _ in range(8)) for _ in range(1000)]
    assert shares(templates)["two"] < 0.1 < 0.9 < shares(prose)["two"]


def test_lengths_are_told_in_quantiles():
    lengths = Lengths()
    for length in range(1, 101):
        lengths.add(length)
    assert lengths.as_json() == {"total": 5050, "p5": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95, "most": 100}
    assert Lengths().as_json() == {}


def test_the_commonest_text_is_found_by_its_words_and_named_by_its_first_row(monkeypatch):
    monkeypatch.setattr(diversity, "MOST_KNOWN", 10)
    found = Commonest()
    for number in range(50):
        found.add("Thank you!" if number % 3 == 1 else f"answer {number}", ("a.csv", number))
    found.add("thank YOU", ("a.csv", 50))
    assert found.as_json() == {"rows": 18, "share": round(18 / 51, 4), "file": "a.csv", "row": 1}


def test_texts_that_all_differ_have_no_commonest():
    found = Commonest()
    assert found.as_json() == {}
    found.add("one", ("a.csv", 0))
    assert found.as_json() == {}
