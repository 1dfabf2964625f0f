"""Shapes of personal data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.pii.patterns import find, iban_is_valid, luhn


def found(text):
    return {(span.entity_type, text[span.start : span.end]) for span in find(text)}


@pytest.mark.parametrize(
    ("text", "entity_type", "value"),
    [
        ("write to Ann.Lee+x@mail.example.co.uk, please", "EMAIL_ADDRESS", "Ann.Lee+x@mail.example.co.uk"),
        ("card 4111 1111 1111 1111 was stolen", "CREDIT_CARD", "4111 1111 1111 1111"),
        ("card 213176828496175 was stolen", "CREDIT_CARD", "213176828496175"),
        ("cc 503802053770", "CREDIT_CARD", "503802053770"),
        ("to GB82 WEST 1234 5698 7654 32 today", "IBAN_CODE", "GB82 WEST 1234 5698 7654 32"),
        ("ssn 536-90-4399", "US_SSN", "536-90-4399"),
        ("from 192.168.10.254:80", "IP_ADDRESS", "192.168.10.254"),
        ("from 2001:db8::8a2e:370:7334", "IP_ADDRESS", "2001:db8::8a2e:370:7334"),
        ("ring +44 20 7946 0958 now", "PHONE_NUMBER", "+44 20 7946 0958"),
        ("ring (212) 555-0147", "PHONE_NUMBER", "(212) 555-0147"),
        ("fax 001-846-853-9089x92556", "PHONE_NUMBER", "001-846-853-9089x92556"),
        ("you can call 9469 9966", "PHONE_NUMBER", "9469 9966"),
        ("781 1704 office", "PHONE_NUMBER", "781 1704"),
        ("card 4111\u20131111\u20131111\u20131111 here", "CREDIT_CARD", "4111\u20131111\u20131111\u20131111"),
        ("card 4111\u00a01111\u202f1111\u00a01111 here", "CREDIT_CARD", "4111\u00a01111\u202f1111\u00a01111"),
        ("card 4111.1111.1111.1111 here", "CREDIT_CARD", "4111.1111.1111.1111"),
        ("card 3782/822463/10005 here", "CREDIT_CARD", "3782/822463/10005"),
        ("ssn 536\u201390\u20134399", "US_SSN", "536\u201390\u20134399"),
        ("ssn 536\u201190\u20114399", "US_SSN", "536\u201190\u20114399"),
        ("ssn 536.90.4399", "US_SSN", "536.90.4399"),
        ("ring 212\u2212555\u22120147 now", "PHONE_NUMBER", "212\u2212555\u22120147"),
        ("ring 212/555/0147 now", "PHONE_NUMBER", "212/555/0147"),
        ("write to ann\u2011lee\uff20example.com", "EMAIL_ADDRESS", "ann\u2011lee\uff20example.com"),
        ("see https://ann:s3cret@db.example.com:5432/x", "URL_CREDENTIALS", "ann:s3cret@db.example.com"),
    ],
)
def test_a_value_is_found_with_its_place(text, entity_type, value):
    assert (entity_type, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "I was charged 12.50 on 2024-05-17 at 10:45",
        "order 4111111111111112 is late",
        "the ratio is 3:2:1",
        "version 1.2.3",
        "see https://example.com/a:b@c",
        "call 10 20",
        "between 1999 and 2004 it cost 3 000 000",
    ],
)
def test_numbers_that_are_nobody_s_stay(text):
    assert found(text) == set()


def test_the_check_digits_of_cards_and_accounts_are_honoured():
    assert luhn("4111111111111111") and not luhn("4111111111111112")
    assert iban_is_valid("DE89 3704 0044 0532 0130 00") and not iban_is_valid("DE88 3704 0044 0532 0130 00")


@given(st.text("0123456789-+()@.:x /ab", max_size=80))
def test_spans_lie_inside_the_text(text):
    for span in find(text):
        assert 0 <= span.start < span.end <= len(text)
