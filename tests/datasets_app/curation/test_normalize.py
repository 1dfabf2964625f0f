"""Tidying text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.normalize import html_to_text, normalize


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  two   spaces\t here ", "two spaces here"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("<p>Hello&nbsp;<b>you</b></p><p>bye</p>", "Hello you\n\nbye"),
        ("<script>alert(1)</script>fine", "fine"),
        ("schÃ¶n", "schön"),
        ("“quoted” ‘text’", "\"quoted\" 'text'"),
        ("e\u0301", "é"),
        ("zero\u200bwidth", "zerowidth"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("fish &amp; chips", "fish & chips"),
        ("你好，世界", "你好,世界"),
    ],
)
def test_the_tidy_form(before, after):
    assert normalize(before) == after


def test_text_without_tags_is_not_taken_for_html():
    assert html_to_text("if a<b then c") == "if a<b then c"


@given(st.text(max_size=80))
def test_tidy_text_has_no_control_characters_and_no_doubled_spaces(text):
    tidy = normalize(text)
    assert "  " not in tidy and "\0" not in tidy and tidy == tidy.strip()
