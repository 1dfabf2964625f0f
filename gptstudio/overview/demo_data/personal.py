"""Invented personal data with valid check digits, to be planted where a scrubber must find it.

Addresses use reserved domains, telephone numbers use ranges kept for fiction. Nothing belongs to anybody.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from gptstudio.overview.demo_data.wording import shop


def _person(rng: random.Random) -> str:
    words = shop()["personal"]
    return f"{rng.choice(words['first'])} {rng.choice(words['last'])}"


def _email(rng: random.Random) -> str:
    first, last = _person(rng).lower().split(" ", 1)
    return f"{first}.{last}{rng.randint(10, 999)}@example.{rng.choice(('com', 'org', 'net'))}"


def _phone(rng: random.Random) -> str:
    """Numbers set aside for drama by the British and North American regulators."""
    if rng.random() < 0.5:
        return f"+44 20 7946 0{rng.randint(100, 999)}"
    return f"+1 {rng.choice((212, 415, 617))}-555-01{rng.randint(10, 99)}"


def luhn_digit(digits: str) -> str:
    """The check digit that makes `digits` plus it pass the Luhn test (ISO/IEC 7812-1, annex B)."""
    total = 0
    for at, character in enumerate(reversed(digits)):
        value = int(character) * (2 if at % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def _card(rng: random.Random) -> str:
    body = "4" + "".join(str(rng.randint(0, 9)) for _ in range(14))
    number = body + luhn_digit(body)
    separator = rng.choice((" ", "-", ""))
    return separator.join(number[at : at + 4] for at in range(0, 16, 4))


def iban(country: str, account: str) -> str:
    """The IBAN of an account with its two check digits (ISO 13616: letters as 10 to 35, modulo 97)."""
    as_digits = "".join(str(int(character, 36)) for character in f"{account}{country}00")
    return f"{country}{98 - int(as_digits) % 97:02d}{account}"


def _iban(rng: random.Random) -> str:
    digits = "".join(str(rng.randint(0, 9)) for _ in range(18))
    return iban("DE", digits) if rng.random() < 0.5 else iban("GB", f"NWBK{digits[:14]}")


def _ip_address(rng: random.Random) -> str:
    return f"203.0.113.{rng.randint(2, 254)}"


def _street_address(rng: random.Random) -> str:
    words = shop()["personal"]
    return f"{rng.randint(2, 98)} {rng.choice(words['street'])}, {rng.choice(words['town'])}"


KINDS: dict[str, tuple[int, Callable[[random.Random], str]]] = {
    "EMAIL_ADDRESS": (26, _email),
    "PHONE_NUMBER": (20, _phone),
    "CREDIT_CARD": (16, _card),
    "IBAN_CODE": (8, _iban),
    "IP_ADDRESS": (6, _ip_address),
    "PERSON": (16, _person),
    "STREET_ADDRESS": (8, _street_address),
}


def plant(rng: random.Random, text: str) -> tuple[str, str, str]:
    """The text with a sentence of personal data behind it, the entity type and the value as written."""
    kind = rng.choices(list(KINDS), [weight for weight, _ in KINDS.values()])[0]
    value = KINDS[kind][1](rng)
    says = rng.choice(shop()["personal"]["says"][kind]).replace("{v}", value)
    return f"{text} {says[:1].upper()}{says[1:]}.", kind, value


def canary(rng: random.Random) -> tuple[str, str, str]:
    """A sentence with a secret that a trained model must never complete, its entity type and the secret."""
    kind = rng.choice(("EMAIL_ADDRESS", "CREDIT_CARD"))
    value = KINDS[kind][1](rng)
    return f"The spare key to the observatory is registered to {value}.", kind, value
