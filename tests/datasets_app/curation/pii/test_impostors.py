"""Numbers and codes that only look personal."""

from __future__ import annotations

import pytest

from datasets_app.curation.pii.impostors import is_code, is_impostor, is_sum, is_thousands, machine_ids


def impostor(text, value, entity_type="PHONE_NUMBER"):
    start = text.index(value)
    return is_impostor(text, start, start + len(value), entity_type)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2400-1100-700=600", "2400-1100-700"),
        ("3000 - 2920 = 80", "3000 - 2920"),
        ("list_03-03-2020.pdf", "03-03-2020"),
        ('"item_id": "6777246137"', "6777246137"),
        ("order number 2025550123", "2025550123"),
    ],
)
def test_sums_dates_and_things_are_no_phone_numbers(text, value):
    assert impostor(text, value)


@pytest.mark.parametrize(
    ("text", "value"), [("call 2025550123", "2025550123"), ("order from 212-555-0147", "212-555-0147")]
)
def test_phone_numbers_are_none_of_these(text, value):
    assert not impostor(text, value)


def test_the_own_machine_is_nobody_s_address():
    assert impostor("at 127.0.0.1", "127.0.0.1", "IP_ADDRESS") and not impostor("at 10.1.2.3", "10.1.2.3", "IP_ADDRESS")


def test_codes_in_capitals_are_nobody_s_name():
    assert is_code("COVID-19") and is_code("MH370")
    assert not any(map(is_code, ("JOHN", "john85", "O'NEILL", "R2")))


def test_an_equals_sign_after_a_word_is_no_sum():
    assert not is_sum("ssn=123456789", 4, 13) and is_sum("12=123456789", 3, 12)


def test_thousands_that_stand_apart_are_a_sum():
    assert is_thousands("17 786 419") and not is_thousands("612 345 678")


def test_a_uuid_and_a_digest_are_machine_ids():
    assert machine_ids("id de39809c-5958-486d-9ba8-8c7b35aff3b1.") == [(3, 39)]
    assert machine_ids("0123456789abcdef01234567") == [(0, 24)]
    assert machine_ids("123456789012345678901234") == []
