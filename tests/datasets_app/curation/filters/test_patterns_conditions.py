"""What people write: patterns and conditions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.filters import conditions, patterns
from datasets_app.curation.filters.conditions import Condition
from datasets_app.curation.filters.patterns import Patterns
from datasets_app.curation.rows import Conversation

ROW = Conversation(({"role": "user", "content": "Order AB-123 is late"}, {"role": "assistant", "content": "Sorry!"}))


def test_patterns_drop_what_matches_or_keep_only_that():
    why = Patterns([r"ab-\d+"]).judge(ROW)
    assert why.reason == "pattern" and why.detail == "“AB-123” matches the pattern “ab-\\d+”."
    assert Patterns([r"ab-\d+"], ignore_case=False).judge(ROW) is None
    assert Patterns([r"ab-\d+"], place="answer").judge(ROW) is None
    assert Patterns([r"ab-\d+"], only=True).judge(ROW) is None
    assert Patterns([r"refund"], only=True).judge(ROW).reason == "no_pattern"


@pytest.mark.parametrize(
    ("pattern", "says"), [("a(b", "missing )"), ("(?<=a)b", "invalid perl operator"), ("", "empty")]
)
def test_a_bad_pattern_is_refused_with_the_sentence_of_re2(pattern, says):
    assert says in patterns.fault(["fine", pattern])


def test_a_pattern_that_would_take_for_ever_elsewhere_does_not():
    long = Conversation(({"role": "user", "content": "a" * 50_000 + "b"}, {"role": "assistant", "content": "x"}))
    assert Patterns(["(a+)+$"]).judge(long) is None


COLUMNS = {
    "rating": [5, "4", " 3.5 ", None, "n/a"],
    "lang": ["en", "de", "", None, "EN-gb"],
    "ok": [True, "yes", "false", 0, None],
}


def met(tree):
    assert conditions.fault(tree) is None
    found = Condition(tree).failures(5, lambda _kind, name: COLUMNS.get(name, [None] * 5))
    return [why is None for why in found]


def leaf(column, op, *value):
    return {"column": column, "op": op, **({"value": value[0]} if value else {})}


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (leaf("rating", ">=", 4), [1, 1, 0, 0, 0]),
        (leaf("rating", "!=", 5), [0, 1, 1, 0, 0]),
        (leaf("lang", "==", "en"), [1, 0, 0, 0, 0]),
        (leaf("lang", "in", ["en", "de"]), [1, 1, 0, 0, 0]),
        (leaf("lang", "not_in", ["en", "de"]), [0, 0, 1, 0, 1]),
        (leaf("lang", "is_empty"), [0, 0, 1, 1, 0]),
        (leaf("lang", "starts_with", "en"), [1, 0, 0, 0, 1]),
        (leaf("lang", "matches", "^e.$"), [1, 0, 0, 0, 0]),
        (leaf("lang", "contains", "gb"), [0, 0, 0, 0, 1]),
        (leaf("ok", "==", True), [1, 1, 0, 0, 0]),
        (leaf("absent", "==", 1), [0, 0, 0, 0, 0]),
        ({"not": leaf("rating", ">=", 4)}, [0, 0, 1, 1, 1]),
        ({"all": [leaf("rating", ">", 1), leaf("lang", "is_not_empty")]}, [1, 1, 0, 0, 0]),
        ({"any": [leaf("rating", ">", 4), {"not": leaf("lang", "is_not_empty")}]}, [1, 0, 1, 1, 0]),
    ],
)
def test_trees(tree, expected):
    assert met(tree) == list(map(bool, expected))


def test_the_sentence_names_the_value_that_decided():
    tree = {"all": [leaf("rating", ">=", 4), {"not": leaf("lang", "==", "de")}]}
    found = Condition(tree).failures(5, lambda _kind, name: COLUMNS[name])
    assert found[1] == "The column “lang” is “de”: “lang == de” is met."
    assert found[2] == "The column “rating” is “ 3.5 ”: “rating >= 4” is not met."
    assert found[3] == "The column “rating” is empty: “rating >= 4” is not met."


def nested(depth):
    tree = leaf("a", "==", 1)
    for _ in range(depth):
        tree = {"not": tree}
    return tree


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        (None, "object"),
        ([], "object"),
        ({"all": []}, "list of conditions"),
        ({"all": [leaf("a", "==", 1)], "any": []}, "stands alone"),
        ({"column": "a", "op": "~", "value": 1}, "no comparison"),
        ({"column": "a", "derived": "words", "op": "==", "value": 1}, "names one column"),
        ({"derived": "mood", "op": "==", "value": 1}, "cannot be derived"),
        (leaf("a", ">", [1]), "takes a number or a text"),
        (leaf("a", "in", "b"), "takes a list"),
        (leaf("a", "matches", "a(b"), "missing )"),
        ({"column": "a", "op": "==", "value": 1, "eval": "1"}, "no part “eval”"),
        (nested(30), "nested more than"),
        ({"all": [leaf("a", "==", 1)] * 300}, "more than 200"),
    ],
)
def test_a_bad_tree_is_refused_with_a_sentence(tree, says):
    assert says in conditions.fault(tree)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3) | st.sampled_from(["==", "all", "words"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["all", "any", "not", "column", "derived", "op", "value"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values)
def test_whatever_json_it_is_a_tree_is_refused_or_runs(tree):
    if conditions.fault(tree) is None:
        assert len(Condition(tree).failures(2, lambda _kind, _name: ["a", 1])) == 2
