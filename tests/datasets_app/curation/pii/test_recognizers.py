"""Presidio's recognisers, asked directly."""

from __future__ import annotations

import subprocess
import sys

import pytest

from datasets_app.curation.pii.patterns import Span
from datasets_app.curation.pii.recognizers import find


def types(text, earlier="", found=()):
    return {span.entity_type for span in find(text, earlier, found)}


@pytest.mark.parametrize(
    ("text", "entity_type"),
    [
        ("mail ann@example.com", "EMAIL_ADDRESS"),
        ("dni 12345678Z", "ES_NIF"),
        ("hetu 131052-308T", "FI_PERSONAL_IDENTITY_CODE"),
        ("nino AB123456C", "UK_NINO"),
        ("01:23:45:67:89:ab", "MAC_ADDRESS"),
    ],
)
def test_checked_shapes_of_other_countries_are_found(text, entity_type):
    assert entity_type in types(text)


def test_digits_alone_need_a_word_of_theirs_near():
    assert "UK_NHS" in types("NHS number 943 476 5919")
    assert "UK_NHS" not in types("parcel 943 476 5919")


def test_the_word_may_stand_in_the_turn_before():
    assert "UK_NHS" in types("943 476 5919", "What is your NHS number?")


def test_a_weak_shape_rises_with_its_word():
    assert "US_SSN" in types("ssn 536-904399")
    assert "US_SSN" not in types("part 536-904399")


def test_a_match_inside_a_longer_word_is_none():
    assert types("see NCT04252885") == set()


def test_a_number_that_is_known_already_is_not_looked_at_for_phones():
    assert "PHONE_NUMBER" in types("2125550147")
    assert "PHONE_NUMBER" not in types("2125550147", "", [Span(0, 10, "ACCOUNT_NUMBER", 0.9)])


def test_the_recognisers_load_no_model_library():
    script = "import sys; from datasets_app.curation.pii.recognizers import find; list(find('a@b.de')); print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "False"
