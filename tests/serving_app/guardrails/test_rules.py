"""What each kind of rule hits, and how much text it has to see together."""

from __future__ import annotations

import pytest

from datasets_app.curation.filters.lexicon import CATEGORIES
from serving_app.guardrails.personal import Personal
from serving_app.guardrails.rules import Lexicon, Patterns, PersonalData, Window, Words, longest_match, pattern_fault


def hit(rule, text: str, **options) -> str | None:
    found = rule.first(Window(text, **options))
    return None if found is None else text[found.start : found.end]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The FALCON flies", "FALCON"),
        ("falcons fly", None),
        ("afalcon", None),
        ("(falcon)", "falcon"),
        ("code  red now", "code  red"),
        ("die Größe", "Größe"),
        ("die Größen", None),
        ("a.b", "a.b"),
        ("axb", None),
    ],
)
def test_words_are_whole_whatever_their_case_and_spaces(text, found) -> None:
    assert hit(Words(["falcon", "code red", "größe", "a.b"]), text) == found


def test_a_word_at_the_end_of_a_text_that_grows_may_still_become_another() -> None:
    rule = Words(["wording"])
    assert hit(rule, "the wording", final=False) is None and hit(rule, "the wording") == "wording"
    assert hit(rule, "the wording ", final=False) == "wording"


def test_a_windows_edge_is_not_the_beginning_of_the_text() -> None:
    assert hit(Patterns(["^hello"]), "hello") == "hello"
    assert hit(Patterns(["^hello"]), " hello"[1:], begins=False) is None


def test_a_pattern_that_may_match_more_waits_until_it_cannot() -> None:
    rule = Patterns([r"ab{1,4}"])
    assert hit(rule, "xabb", final=False) is None
    assert hit(rule, "xabbbb", final=False) is None and hit(rule, "xabbbbc", final=False) == "abbbb"
    assert hit(rule, "xabb", final=True) == "abb"


@pytest.mark.parametrize(
    ("pattern", "longest"), [("foo|quux", 4), (r"\d{3}-\d{4}", 8), ("a.*b", 256), (r"\pL+x", 256), ("a{900}", 256)]
)
def test_what_a_pattern_holds_back_is_what_it_can_match(pattern, longest) -> None:
    assert longest_match(pattern) == longest and Patterns([pattern]).hold == longest + 1


@pytest.mark.parametrize(("pattern", "says"), [("(", "cannot be used"), ("x*", "nothing stands"), ("", "empty")])
def test_a_pattern_that_cannot_be_a_rule_is_told_why(pattern, says) -> None:
    assert says in str(pattern_fault(pattern)) and pattern_fault("x+") is None


def test_the_lexicon_points_at_the_words_and_sees_only_its_categories() -> None:
    text = "Dear all, you are i d i o t s and I will kill you soon."
    assert hit(Lexicon(["threats"]), text) == "I will kill you"
    assert hit(Lexicon(["insults"]), "such an 1d1ot, really") == "1d1ot,"
    assert hit(Lexicon(["slurs"]), text) is None
    assert hit(Lexicon(CATEGORIES), "What a day") is None


def test_personal_data_in_answers_is_what_has_a_shape_or_is_on_the_workspaces_list() -> None:
    personal = Personal.of(allow=["help@care.example"], deny=["Bluebird"])
    rule = PersonalData(personal)
    assert hit(rule, "Write to help@care.example or jane@x.org, please") == "jane@x.org"
    assert hit(rule, "Project Bluebird is late") == "Bluebird"
    assert hit(rule, "My name is Jane Doe") is None
    assert hit(rule, "mail jane@x.org", final=False) is None
