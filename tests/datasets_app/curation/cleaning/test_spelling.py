"""English spelling: one clear reading or nothing."""

from __future__ import annotations

import pytest

from datasets_app.curation.cleaning.spelling import Speller


@pytest.fixture(scope="module")
def speller():
    return Speller()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("I recieve my acount statment tommorow.", "I receive my account statement tomorrow."),
        ("Please updtae my subscribtion immediatelly.", "Please update my subscription immediately."),
        ("Teh payment was succesful, thank you alot.", "The payment was successful, thank you a lot."),
        ("The exchnage rate is wrong.", "The exchange rate is wrong."),
    ],
)
def test_clear_slips_are_mended(speller, before, after):
    assert speller.correct(before)[0] == after


@pytest.mark.parametrize(
    "text",
    [
        "My favorite color and favourite colour are traveling in theaters and theatres.",
        "The smartphone chatbot is nonrefundable and prepaid.",
        "my name is karthik rajann and i live here",
        "Send Zorblax and Kubernetes to Kowalczyk.",
        "Order no. ABXC12-acount for acount@mail.example and `acount` at www.acount.example [ACOUNT] {acount}.",
        "Use in-vitro tests and the well-knwon method.",
        "necesito ayuda con mi tarjeta de credito por favor gracias",
        "ich brauche eine neue karte fuer meine tochter",
    ],
)
def test_names_codes_product_words_and_other_languages_stay(speller, text):
    assert speller.correct(text) == (text, 0)


def test_words_of_the_workspace_stay():
    text = "Please top up my balence with the new acount plan."
    assert Speller().correct(text)[0] == "Please top up my balance with the new account plan."
    assert Speller(dictionary=["Balence", "acount"]).correct(text) == (text, 0)


def test_words_that_the_data_holds_often_stay_unless_they_are_a_common_slip_there():
    text = "The exchnage is open."
    assert Speller(counts={"exchnage": 9}).correct(text)[1] == 0
    assert Speller(counts={"exchnage": 9, "exchange": 900}).correct(text)[0] == "The exchange is open."
    assert Speller(counts={"exchnage": 2}).correct(text)[1] == 1
