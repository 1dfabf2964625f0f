"""Stand-ins for values."""

from __future__ import annotations

import re

import pytest
from faker import Faker
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.pii.patterns import find, iban_is_valid, luhn
from datasets_app.curation.pii.pseudonyms import Pseudonyms

STAND_INS = Pseudonyms(Keys(b"secret"))


def shape(value):
    return re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"\d", "0", value)))


def test_a_name_keeps_its_words_and_their_case():
    assert re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", STAND_INS.of("PERSON", "Dora Lee"))
    assert STAND_INS.of("PERSON", "DORA LEE") == STAND_INS.of("PERSON", "Dora Lee").upper()
    assert STAND_INS.of("PERSON", "dora") == STAND_INS.of("PERSON", "Dora Lee").split()[0].lower()


def test_an_address_keeps_what_makes_it_one():
    made = STAND_INS.of("ADDRESS", "12 Main Street, Apt. 4\nSpringfield 62704")
    assert re.fullmatch(r"\d\d [A-Z][a-z]+ Street, Apt. \d\n[A-Z][a-z]+ \d{5}", made)
    assert "Main" not in made and "62704" not in made


@pytest.mark.parametrize(
    ("entity_type", "value"),
    [
        ("CREDIT_CARD", "4111 1111 1111 1111"),
        ("US_SSN", "536-90-4399"),
        ("PHONE_NUMBER", "+1 (212) 555-0147"),
        ("US_DRIVER_LICENSE", "LH329609T"),
        ("ACCOUNT_NUMBER", "0045-6712"),
    ],
)
def test_a_number_keeps_its_signs_and_its_length(entity_type, value):
    made = STAND_INS.of(entity_type, value)
    assert shape(made) == shape(value) and made != value


def test_mail_and_machine_addresses_are_of_ranges_set_aside():
    assert re.fullmatch(r"[a-z]+\.[a-z]+@example\.(com|org|net)", STAND_INS.of("EMAIL_ADDRESS", "dora@web.de"))
    assert STAND_INS.of("IP_ADDRESS", "8.8.4.4").startswith(("198.18.", "198.19."))
    assert STAND_INS.of("IP_ADDRESS", "2a00::1").startswith("2001:db8::")


@given(st.text("0123456789", min_size=13, max_size=19), st.binary(max_size=8))
def test_no_stand_in_for_a_card_or_an_account_passes_its_check(digits, secret):
    made = Pseudonyms(Keys(secret))
    assert not luhn(made.of("CREDIT_CARD", digits))
    assert not iban_is_valid(made.of("IBAN_CODE", f"DE89{digits}"))


@given(st.text(max_size=40), st.sampled_from(["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "US_SSN", "OTHER"]))
def test_the_same_value_always_has_the_same_stand_in(value, entity_type):
    assert STAND_INS.of(entity_type, value) == Pseudonyms(Keys(b"secret")).of(entity_type, value)


def test_another_secret_gives_other_stand_ins():
    assert Pseudonyms(Keys(b"a")).of("PERSON", "Dora") != Pseudonyms(Keys(b"b")).of("PERSON", "Dora")


def test_no_stand_in_is_a_name_that_people_have():
    fake = Faker("en_US")
    fake.seed_instance(7)
    names = {fake.name() for _each in range(400)}
    known = {word.lower() for name in names for word in name.split()}
    made = {word.lower() for name in names for word in STAND_INS.of("PERSON", name).split()}
    assert not made & (known - {"mr", "mrs", "ms", "dr", "miss"} - {"mr.", "mrs.", "ms.", "dr."})


def test_a_stand_in_for_a_mail_address_is_found_again():
    assert [span.entity_type for span in find(STAND_INS.of("EMAIL_ADDRESS", "a@b.de"))] == ["EMAIL_ADDRESS"]
