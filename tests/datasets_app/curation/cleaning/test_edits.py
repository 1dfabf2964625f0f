"""Edits and protected stretches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.cleaning.changes import changed_ranges, cut_to_change
from datasets_app.curation.cleaning.edits import Edit, apply, is_free, protected


@pytest.mark.parametrize(
    "piece",
    [
        "`x = 1`", "https://a.example/x?y=z,w", "www.a.example/b", "bob.b@mail.example", "@bob", "#tag", "[CREDIT_CARD]",
        "{name}", "{{ name }}", "${x}", "%(name)s", "<PERSON>", "<|im_end|>", "1,234.50", "12:30", "AB12-34", "snake_case",
        "camelCase", "report.pdf", "/usr/lib/x", ":thumbs_up:", ":-)", "<<3*4=12>>", "$$a ,b$$",
    ],
)  # fmt: skip
def test_what_is_no_prose_is_protected_whole(piece):
    text = f"look at {piece} now"
    stretches = protected(text)
    assert any(start <= 8 and end >= 8 + len(piece) for start, end in stretches)
    assert is_free(Edit(0, 4, "Look"), stretches)


def test_plain_prose_is_free():
    assert protected("Plain words, and nothing else; really (truly).") == []


def test_edits_that_overlap_are_not_both_made():
    assert apply("abcdef", [Edit(1, 3, "X"), Edit(2, 4, "Y"), Edit(6, 6, "!")]) == "aXdef!"


@given(st.text("ab c.", max_size=30), st.text("ab c.", max_size=30))
def test_changed_ranges_lead_from_one_text_to_the_other(before, after):
    gone, come = changed_ranges(before, after)
    kept_before = _without(before, gone)
    assert kept_before == _without(after, come)


def test_an_example_is_cut_to_where_it_changed():
    before, after = "word " * 100 + "one two", "word " * 100 + "one three"
    cut = cut_to_change(before, after, 60)
    assert cut[0].startswith("…word ") and cut[0].endswith("one two") and cut[1].endswith("one three")
    assert cut_to_change("short one", "short two", 60) == ("short one", "short two")
    assert max(map(len, cut_to_change("a" * 500, "a" * 400, 60))) <= 60


@given(st.text("ab ", max_size=40), st.text("ab ", max_size=40), st.integers(4, 30))
def test_what_is_shown_differs_where_the_texts_do(before, after, most):
    shown = cut_to_change(before, after, most)
    assert (shown[0] != shown[1]) == (before != after)


def _without(text, ranges):
    for start, end in reversed(ranges):
        text = text[:start] + text[end:]
    return text
