"""Near-copies, split, balance and tokens before the version is made, in words: exact, or as much as a sample can tell."""

from __future__ import annotations

import pytest

from datasets_app.web.foreseen import Seen, figures, foreseen

ALL, SAMPLE, START = Seen(400, 400), Seen(400, 20_000), Seen(400, 50_000, whole=False)
RECIPE = {
    "steps": [
        {"kind": "split", "options": {"train": 0.8, "validation": 0.1, "test": 0.1}},
        {"kind": "tokens", "options": {"policy": "truncate"}},
    ]
}
RESULT = {
    "steps": [
        {"kind": "exact_duplicates", "dropped": {"exact_duplicate": 10}},
        {"kind": "near_duplicates", "dropped": {}},
        {"kind": "tokens", "dropped": {"too_long": 2}},
    ],
    "duplicates": {"near_rows": 12, "near_clusters": 5},
    "splits": {"train": 310, "validation": 39, "test": 39},
    "groups": {"groups": 9, "rows": 30, "largest": 7},
    "balance": {
        "before": {"a": 12_345, "b": 1_234},
        "after": {"a": 1_000, "b": 1_000},
        "imbalance": {"before": 10.004, "after": 1.0},
    },
    "tokens": {
        "limit": 512,
        "over": 7,
        "would": {"drop": {"shortened": 0, "dropped": 7}, "truncate": {"shortened": 5, "dropped": 2}},
    },
}


def said(kind: str, seen: Seen, **changes) -> str:
    return " ".join(foreseen(kind, {**RESULT, **changes}, RECIPE, seen).lines)


def test_of_all_rows_the_counts_are_plain(subtests) -> None:
    for kind, words in {
        "near_duplicates": "12 rows say nearly the same as another, in 5 groups. They stay, each group in one part.",
        "split": "310 to learn from, 39 to steer by, 39 for the exam. "
        "No split divides rows that belong together: 30 rows, up to 7 in a group.",
        "balance": "The largest label has 10 times as many rows as the smallest, afterwards just as many.",
        "tokens": "7 of 400 rows are longer than 512 tokens.",
        "exact_duplicates": "",
    }.items():
        with subtests.test(kind):
            assert said(kind, ALL) == words


def test_a_sample_says_at_least_of_copies_and_about_of_shares() -> None:
    assert "12 rows of the sample say nearly the same as another, in 5 groups: at least 3.0% of all" in said(
        "near_duplicates", SAMPLE
    )
    assert "at least 2.5% of all" in said("exact_duplicates", SAMPLE)
    assert said("split", SAMPLE).startswith(
        "About 16,000 to learn from, about 2,000 to steer by, about 2,000 for the exam."
    )
    assert "at least 30 rows of the sample" in said("split", SAMPLE)
    assert said("tokens", SAMPLE) == "About 350 of 20,000 rows are longer than 512 tokens."
    assert said("tokens", START) == "About 880 of the first 50,000 rows are longer than 512 tokens."
    assert "Sizes are estimated from the sample" in said("balance", SAMPLE)


def test_what_a_sample_has_none_of_may_still_be_there() -> None:
    none = {"duplicates": {"near_rows": 0, "near_clusters": 0}, "tokens": {**RESULT["tokens"], "over": 0}}
    assert said("tokens", ALL, **none) == "No row is longer than 512 tokens."
    assert "of 20,000 rows most likely fewer than 150 are" in said("tokens", SAMPLE, **none)
    assert said("near_duplicates", ALL, **none) == "No row says nearly the same as another."
    assert "other half was drawn" in said("near_duplicates", SAMPLE, **none)


def test_each_policy_is_told_with_its_estimate_and_the_chosen_one_marked() -> None:
    found = foreseen("tokens", RESULT, RECIPE, SAMPLE).policies
    assert [(each.becomes, each.is_chosen) for each in found] == [
        ("350 left out", False),
        ("250 shortened, 100 left out", True),
    ]


def test_labels_stand_with_their_rows_before_and_after() -> None:
    assert foreseen("balance", RESULT, RECIPE, SAMPLE).labels == (("a", 12_000, 1_000), ("b", 1_200, 1_000))
    assert foreseen("balance", RESULT, RECIPE, ALL).labels == (("a", 12_345, 1_000), ("b", 1_234, 1_000))
    assert "no" in said("balance", ALL, balance={}).lower()


def test_parts_that_would_be_empty_are_warned_of() -> None:
    assert "No row is held back for test" in said("split", ALL, splits={"train": 388, "validation": 12, "test": 0})


def test_steps_that_go_row_by_row_and_what_did_not_come_so_far_have_no_words() -> None:
    assert foreseen("normalize", RESULT, RECIPE, ALL).lines == ()
    assert foreseen("split", {"steps": []}, RECIPE, ALL).lines == ()


@pytest.mark.parametrize(("estimate", "shown"), [(0.4, 0), (7.6, 8), (123, 120), (98_765, 99_000)])
def test_an_estimate_promises_two_figures(estimate, shown) -> None:
    assert figures(estimate) == shown
