"""The report of a version in words and pictures."""

from __future__ import annotations

import pytest

from datasets_app import recipes
from datasets_app.web.report_words import (
    balance_of,
    empty_splits,
    leak_lines,
    people_lists,
    pictures,
    policies,
    step_chart,
    variety,
)
from tests.worlds import REPORT, make_dataset, make_version

pytestmark = pytest.mark.django_db
RECIPE = recipes.recipe(train=0.8, validation=0.1, test=0.1)


def test_the_page_says_what_was_measured(at_alice, as_alice, studio_home) -> None:
    version = make_version(as_alice, dataset=make_dataset(as_alice)[0])
    page = at_alice.get(f"/datasets/versions/{version.id}/").content.decode()
    for said in (
        "test rows have a near-duplicate in training",
        "36 training rows speak of men and 4 of women.",
        "Bring rows that speak of women.",
        "it was 3 times before balancing",
        "1 become 3 rows, 1 left out",
        f"/datasets/versions/{version.id}/rows?cluster=3",
        "77 in 80 rows",
        "40 of 80 training rows speak of a group of people.",
    ):
        assert said in page, said


@pytest.mark.parametrize(
    ("languages", "said"),
    [
        ({}, "a list of English words"),
        ({"de": 9}, "a list of German words"),
        ({"en": 1900, "fr": 7}, "lists of English (1,900 rows) and French (7 rows) words"),
        ({"nl": 3, "pt": 2, "it": 1}, "lists of Dutch (3 rows), Portuguese (2 rows) and Italian (1 rows) words"),
    ],
)
def test_the_page_says_by_which_lists_of_words(languages, said) -> None:
    assert people_lists(languages) == said


def test_each_policy_has_its_counts_and_the_recipe_s_own_is_marked() -> None:
    found = policies(REPORT["tokens"], RECIPE)
    assert [each.becomes for each in found] == [
        "2 left out",
        "1 shortened, 1 left out",
        "1 become 3 rows, 1 left out",
        "stops at the first of 2",
    ]
    assert [each.is_chosen for each in found] == [True, False, False, False]
    assert policies({**REPORT["tokens"], "over": 0}, RECIPE) == []


def test_rows_are_shown_by_the_step_that_left_them_out() -> None:
    steps = [{"kind": "exact_duplicates", "dropped": 3}, {"kind": "tokens", "dropped": 0}]
    chart = step_chart({"rows": {"dropped": {"exact_duplicate": 3, "no_answer": 2}}, "steps": steps})
    assert [(bar.label, bar.text) for bar in chart.bars] == [
        ("Reading the files", "2"),
        ("Exact copies", "3"),
    ]
    assert step_chart({"rows": {"dropped": {}}, "steps": steps[1:]}) is None


def test_balance_shows_both_sides_only_where_something_moved() -> None:
    assert balance_of(REPORT).after is not None
    same = balance_of({**REPORT, "balance": {}})
    assert same.after is None and same.sentence.endswith("the rows of the smallest, refund.")
    assert balance_of({**REPORT, "quality": {}}) is None


def test_leaks_are_told_for_each_split_that_has_rows() -> None:
    assert [each["split"] for each in leak_lines(REPORT)] == ["validation", "test"]
    assert leak_lines({"leaks": [{"split": "test", "rows": 0, "leaks": 0}]}) == []
    old = {"splits": {"validation": 3, "test": 4, "leaks": 1}}
    assert leak_lines(old) == [{"split": "validation and test", "rows": 7, "leaks": 1}]


def test_where_no_row_could_be_held_out_the_page_says_why() -> None:
    (said,) = empty_splits({"splits": {"train": 500, "validation": 0, "test": 0}}, RECIPE)
    assert "for validation and test" in said["message"] and "of these 500 too few" in said["message"]
    (said,) = empty_splits({"splits": {"train": 1, "validation": 0, "test": 0}}, RECIPE)
    assert "only 1 is left in all" in said["message"] and "too long" in said["fix"]
    assert empty_splits({"splits": {"train": 500, "validation": 9, "test": 9}}, RECIPE) == []
    unasked = recipes.recipe(train=0.9, validation=0.1, test=0.0)
    assert empty_splits({"splits": {"train": 500, "validation": 9, "test": 0}}, unasked) == []


def test_a_report_from_before_quality_was_measured_has_empty_parts() -> None:
    bare = {"rows": {"in": 1, "kept": 1, "dropped": {}}, "splits": {"train": 1}, "steps": []}
    found = pictures(bare, RECIPE)
    assert not any(found.values()) and variety({}) == []
