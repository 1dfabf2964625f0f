"""Personal data with a shape, found as curation finds it: e-mail addresses, phone and card numbers and more. Knows no names."""

from __future__ import annotations

from datasets_app.curation.pii.overlaps import settle
from datasets_app.curation.pii.patterns import find

KINDS = {
    "EMAIL_ADDRESS": "e-mail addresses",
    "PHONE_NUMBER": "phone numbers",
    "CREDIT_CARD": "card numbers",
    "IBAN_CODE": "bank accounts (IBAN)",
    "US_SSN": "social security numbers",
    "IP_ADDRESS": "IP addresses",
    "URL_CREDENTIALS": "addresses with a password",
}
_NUMBERS = ("PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "US_SSN")


def personal_values(text: str) -> dict[str, str]:
    """The personal values in a text with their kind, in a form in which equal values are equal texts."""
    return {
        _plain(text[each.start : each.end], each.entity_type): each.entity_type for each in settle(text, find(text))
    }


def _plain(value: str, kind: str) -> str:
    """Case does not count, nor do the signs that group a number."""
    folded = value.casefold()
    return "".join(letter for letter in folded if letter.isalnum()) if kind in _NUMBERS else folded
