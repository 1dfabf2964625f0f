"""Digests under a secret."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.pii.keys import Keys

KEYS = Keys(b"secret")


def test_case_and_spaces_of_a_value_do_not_count():
    assert KEYS.of_value("PERSON", "Dora  Lee") == KEYS.of_value("PERSON", "dora lee")


def test_type_value_and_secret_count():
    keys = {
        KEYS.of_value("PERSON", "Dora"),
        KEYS.of_value("ADDRESS", "Dora"),
        KEYS.of_value("PERSON", "Bob"),
        Keys(b"other").of_value("PERSON", "Dora"),
    }
    assert len(keys) == 4


def test_each_part_of_a_place_counts():
    places = [("a", 1, 2, 3, 4, "x"), ("b", 1, 2, 3, 4, "x"), ("a", 2, 2, 3, 4, "x"), ("a", 1, 2, 3, 4, "y")]
    assert len({KEYS.of_place(*place) for place in places}) == len(places)


@given(st.text(), st.integers(4, 12))
def test_a_number_has_as_many_digits_as_asked_for(value, digits):
    number = KEYS.number("PERSON", value, digits)
    assert number.isdigit() and len(number) == digits
    assert KEYS.dice("PERSON", value).random() == KEYS.dice("PERSON", value).random()
