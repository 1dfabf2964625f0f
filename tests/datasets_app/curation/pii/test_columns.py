"""What the names of columns say."""

from __future__ import annotations

import pytest

from datasets_app.curation.pii.columns import column_type, typed_values


@pytest.mark.parametrize(
    ("name", "entity_type"),
    [
        ("ssn", "US_SSN"),
        ("SocialSecurityNumber", "US_SSN"),
        ("phone_number", "PHONE_NUMBER"),
        ("TelephoneNumber", "PHONE_NUMBER"),
        ("e-mail", "EMAIL_ADDRESS"),
        ("EmailAddress", "EMAIL_ADDRESS"),
        ("customerName", "PERSON"),
        ("Surname", "PERSON"),
        ("name", "PERSON"),
        ("StreetAddress", "ADDRESS"),
        ("ZipCode", "ZIP_CODE"),
        ("CCNumber", "CREDIT_CARD"),
        ("DOB", "DATE_OF_BIRTH"),
        ("ip_address", "IP_ADDRESS"),
    ],
)
def test_a_name_says_what_stands_below_it(name, entity_type):
    assert column_type(name) == entity_type


@pytest.mark.parametrize(
    "name", ["text", "answer", "product_name", "file name", "category", "namespace", "phone_model", "1"]
)
def test_other_names_say_nothing(name):
    assert column_type(name) is None


def test_values_come_with_their_type_and_names_word_by_word():
    record = {"name": "Dora Lee", "phone": 5550147, "text": "hi", "email": None, "ssn": "1"}
    assert list(typed_values(record)) == [
        ("Dora Lee", "PERSON"),
        ("Dora", "PERSON"),
        ("Lee", "PERSON"),
        ("5550147", "PHONE_NUMBER"),
    ]


def test_the_name_of_a_role_is_nobody_s():
    assert list(typed_values({"author": "agent", "sender": "Customer"})) == []


@pytest.mark.parametrize(
    "title",
    [
        "Coronavirus Disease-2019 (COVID-19) and Children",
        "Travel: Frequently Asked Questions",
        "What to Do If You Are Sick at Home",
    ],
)
def test_a_title_in_a_column_of_names_is_nobody_s_name(title):
    assert list(typed_values({"name": title})) == []
    assert next(typed_values({"name": "dora85"})) == ("dora85", "PERSON")
