"""Words that announce a number."""

from __future__ import annotations

import pytest

from datasets_app.curation.pii.cues import (
    NOBODY,
    OTHER,
    asked_for,
    cues,
    is_about_identity,
    is_filler,
    leaves_the_sentence,
)


@pytest.mark.parametrize(
    ("text", "entity_type"),
    [
        ("my ssn", "US_SSN"),
        ("the driver's license", "US_DRIVER_LICENSE"),
        ("driving licence", "US_DRIVER_LICENSE"),
        ("acct", "ACCOUNT_NUMBER"),
        ("customer number", "ACCOUNT_NUMBER"),
        ("my debit card", "CREDIT_CARD"),
        ("whatsapp", "PHONE_NUMBER"),
        ("passport", "PASSPORT"),
        ("the amount", OTHER),
    ],
)
def test_a_word_announces_its_kind(text, entity_type):
    assert [cue.entity_type for cue in cues(text)] == [entity_type]


@pytest.mark.parametrize("text", ["on account of this", "social media", "discard", "a customer", "stacks"])
def test_words_that_only_look_alike_announce_nothing(text):
    assert [cue for cue in cues(text) if cue.entity_type not in NOBODY] == []


@pytest.mark.parametrize(
    ("turn", "asked"),
    [
        ("What are the last four digits of your social security number?", "US_SSN"),
        ("Which account, and how much?", OTHER),
        ("How much is on the account? And the account number?", "ACCOUNT_NUMBER"),
        ("Anything else?", None),
    ],
)
def test_a_turn_asks_for_what_it_names_last(turn, asked):
    assert asked_for(turn) == asked


def test_fillers_add_nothing():
    assert is_filler("Yes, sorry, it is ") and is_filler("") and not is_filler("the parcel")


def test_talk_about_a_bank_is_about_identity():
    assert is_about_identity("I would like to change my billing details") and not is_about_identity(
        "Two pizzas, please"
    )


def test_a_question_mark_and_a_colon_do_not_leave_the_sentence():
    assert leaves_the_sentence("done. Then ") and leaves_the_sentence("done\n")
    assert not leaves_the_sentence("number? It is ") and not leaves_the_sentence("number:\n")
