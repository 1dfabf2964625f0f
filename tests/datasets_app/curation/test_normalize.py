"""Tidying text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.normalize import PARTS, html_to_text, normalize


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


@given(st.text(st.characters(exclude_characters="`"), max_size=80))
def test_tidy_text_has_no_control_characters_and_no_doubled_spaces(text):
    tidy = normalize(text)
    assert "  " not in tidy and "\0" not in tidy and tidy == tidy.strip()


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        ("encoding", "schÃ¶n", "schön"),
        ("html", "<b>bold</b> &amp; more", "bold & more"),
        ("unicode", "e\u0301", "é"),
        ("quotes", "“quoted”", '"quoted"'),
        ("invisible", "zero\u200bwidth\x07", "zerowidth"),
        ("whitespace", " two   spaces\t", "two spaces"),
    ],
)
def test_each_part_can_be_left_out(part, before, after):
    assert normalize(before, [part]) == after
    assert normalize(before, [other for other in PARTS if other != part]) != after


def test_code_between_backticks_keeps_its_form():
    code = "```py\nif a:\n    return '<b>'  # two  spaces\n```"
    assert normalize(f"see  `a  <b>` and\n{code}\n ok") == f"see `a  <b>` and\n{code}\nok"


def test_angle_brackets_that_are_no_html_stay():
    assert normalize("<b>Dear</b> <NAME>, use List<String> &amp; go") == "Dear <NAME>, use List<String> & go"


def test_joiners_stay_where_a_script_or_an_emoji_needs_them():
    assert normalize("👨\u200d👩\u200d👧 می\u200cخواهم a\u200db") == "👨\u200d👩\u200d👧 می\u200cخواهم ab"
