"""Case policies."""

from __future__ import annotations

import pytest

from datasets_app.curation.cleaning.casing import recase


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("MY CARD WAS STOLEN AT THE ATM. PLEASE BLOCK IT!", "My card was stolen at the ATM. Please block it!"),
        ("I'M IN PARIS AND I NEED HELP ON MONDAY", "I'm in Paris and I need help on Monday"),
        ("THE DISPLAY OF MY SM-G900F AND ZQX7 IS BROKEN", "The display of my SM-G900F and ZQX7 is broken"),
        ("All is fine. WHY IS MY PAYMENT LATE? Thanks.", "All is fine. Why is my payment late? Thanks."),
        ("PLEASE WRITE TO [EMAIL] ABOUT {ORDER} NOW", "Please write to [EMAIL] about {ORDER} now"),
    ],
)
def test_shouting_is_lowered_and_codes_stay(before, after):
    assert recase(before, "repair") == after


@pytest.mark.parametrize(
    "text",
    [
        "The API and the PDF are fine.",
        "FAQ PDF API",
        "IBM, SAP and ABB merge",
        "OK",
        "NECESITO AYUDA CON MI TARJETA",
        "iPhone",
    ],
)
def test_what_is_not_shouted_english_stays(text):
    assert recase(text, "repair") == text


def test_sentence_case_also_lowers_headlines_and_raises_starts():
    assert recase("How To Activate My New Card", "sentence") == "How to activate my new card"
    assert recase("Send A New Card To Larissa Gonzalez", "sentence") == "Send a new card to Larissa Gonzalez"
    assert recase("my card. it broke, and i cried", "sentence") == "My card. It broke, and I cried"
    assert recase("How To Activate My New Card", "repair") == "How To Activate My New Card"


def test_leave_leaves():
    assert recase("PLEASE HELP ME NOW", "leave") == "PLEASE HELP ME NOW"
