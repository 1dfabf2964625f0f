"""Shapes of personal data that check themselves: e-mail addresses, card numbers, IBANs. Knows no names."""

from __future__ import annotations

import re

EMAIL = re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b")
CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}\b")


def personal_values(text: str) -> set[str]:
    """The personal values in a text, in a form in which equal values are equal texts."""
    emails = {match.group().lower() for match in EMAIL.finditer(text)}
    cards = {digits for match in CARD.finditer(text) if _passes_luhn(digits := re.sub(r"\D", "", match.group()))}
    ibans = {code for match in IBAN.finditer(text) if _passes_mod97(code := match.group().replace(" ", ""))}
    return emails | cards | ibans


def _passes_luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812-1: every second digit from the right doubled, digit sums a multiple of ten."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _passes_mod97(code: str) -> bool:
    """The check of ISO 13616: country and check digits moved to the end, letters as 10 to 35, remainder 1."""
    rearranged = code[4:] + code[:4]
    return int("".join(str(int(letter, 36)) for letter in rearranged)) % 97 == 1
