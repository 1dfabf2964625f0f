"""Numbers by the words around them and by the turn before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.pii.numbers import find
from datasets_app.curation.pii.patterns import Span


def found(text, earlier=(), **known):
    return [(span.entity_type, text[span.start : span.end]) for span in find(text, earlier, **known)]


@pytest.mark.parametrize(
    ("text", "entity_type", "value"),
    [
        ("ssn 123456789", "US_SSN", "123456789"),
        ("the last four digits of my social security number are 4471", "US_SSN", "4471"),
        ("my account no is 4471", "ACCOUNT_NUMBER", "4471"),
        ("acct #: 00456712", "ACCOUNT_NUMBER", "00456712"),
        ("6754 is my ssn", "US_SSN", "6754"),
        ("card ending in 9001 was declined", "CREDIT_CARD", "9001"),
        ("my card is 5.59E+15", "CREDIT_CARD", "5.59E+15"),
        ("driver's license number is LH329609T", "US_DRIVER_LICENSE", "LH329609T"),
        ("driving licence 50473044", "US_DRIVER_LICENSE", "50473044"),
        ("passport no. X1234567", "PASSPORT", "X1234567"),
        ("my cell is 5550147", "PHONE_NUMBER", "5550147"),
        ("the zip code is 90210", "ZIP_CODE", "90210"),
        ("my pin is 4471", "PIN", "4471"),
        ("policy number 8844120", "ACCOUNT_NUMBER", "8844120"),
    ],
)
def test_the_words_around_say_whose_number_it_is(text, entity_type, value):
    assert found(text) == [(entity_type, value)]


@pytest.mark.parametrize(
    "text",
    [
        "transfer 2500 from my account",
        "my account balance is 4500",
        "card limit of 5000",
        "I have had this card for 2000 days",
        "he collected 1500 baseball cards",
        "on account of 5000 people",
        "the cards were 1800*3=5400",
        "closed the account in 2019",
        "call at 10 pm",
        "chapter 4471",
    ],
)
def test_sums_dates_and_counts_are_nobody_s(text):
    assert found(text) == []


def test_two_kinds_in_one_sentence_are_told_apart():
    assert found("ssn 2567 credit card 5197") == [("US_SSN", "2567"), ("CREDIT_CARD", "5197")]


def test_a_bare_answer_is_what_the_turn_before_asked_for():
    assert found("4471", ["What are the last four of your SSN?"]) == [("US_SSN", "4471")]
    assert found("yes, it's 4471", ["Your account number, please?"]) == [("ACCOUNT_NUMBER", "4471")]


def test_a_bare_answer_to_how_much_is_nobody_s():
    assert found("4471", ["my card was stolen", "How much did you pay?"]) == []


def test_a_bare_number_alone_is_nobody_s_unless_the_talk_is_about_accounts():
    assert found("4471") == []
    assert found("4471", ["how many people live there?"]) == []
    assert found("4471", ["I want to check my account", "hello?"]) == [("ACCOUNT_NUMBER", "4471")]


def test_a_bare_number_after_somebody_was_named_is_theirs():
    assert found("4471", ["it is Dora"], named=True) == [("ACCOUNT_NUMBER", "4471")]


def test_a_number_beside_a_name_is_bare_too():
    name = Span(0, 4, "PERSON", 0.9)
    assert found("Dora 4471", ["I lost my card"], taken=[name]) == [("CREDIT_CARD", "4471")]


def test_a_bare_number_as_long_as_a_card_s_is_one():
    assert found("5454251496587846") == [("CREDIT_CARD", "5454251496587846")]


def test_a_bare_year_is_a_year():
    assert found("1998", ["we talked about the bank"]) == []


@given(st.text("0123456789 -#=.,e+ssncardaccount", max_size=60), st.lists(st.text("0123456789 ssn?", max_size=12)))
def test_spans_lie_inside_the_text_and_hold_a_digit(text, earlier):
    for span in find(text, earlier):
        assert 0 <= span.start < span.end <= len(text)
        assert any(letter.isdigit() for letter in text[span.start : span.end])
