"""What only looks personal: sums, thousands, dates, identifiers of things, codes. The standard library alone."""

from __future__ import annotations

import ipaddress
import re

_MACHINE_ID = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=[0-9]*[a-f])[0-9a-f]{24,128})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_MINUS = re.compile(r"\d+ - \d+")
_DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1(?:19|20)\d\d|(?:19|20)\d\d([./-])\d{1,2}\2\d{1,2}")
_THOUSANDS = re.compile(r"\d{1,3}(?: \d{3})*[ -]\d{0,3} ?000|[1-9]\d?(?: \d{3})+")
_BARE = re.compile(r"\d+")
_THING = re.compile(
    r"(?:\b|_)(?:ids?|orders?|items?|products?|sku|ref|references?|tracking|invoices?|tickets?|cases?|parcels?|isbn|ean|serial"
    r"|version|build|commit)\b(?:\W{0,3}(?:numbers?|no|nr|id|is)\b)?\W{0,4}$",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"[A-Z]{2,}-?\d+"
)  # a disease, a road, a machine; people's own names for themselves have small letters
_AROUND = 40


def is_impostor(text: str, start: int, end: int, entity_type: str) -> bool:
    """Whether characters `start` to `end` are no `entity_type`, whatever their shape."""
    value = text[start:end]
    if entity_type == "PHONE_NUMBER":
        return (
            _is_sum(text, start, end)
            or bool(_DATE.fullmatch(value))
            or (bool(_BARE.fullmatch(value)) and is_of_a_thing(text, start, end))
        )
    return entity_type == "IP_ADDRESS" and _is_every_machine(value)


def is_code(value: str) -> bool:
    """`COVID-19`, `MH370`: nobody is called so."""
    return _CODE.fullmatch(value) is not None


def is_sum(text: str, start: int, end: int) -> bool:
    """Whether a number is calculated with: `2400-1100-700=600`, `$<<350000*5`; `ssn=123` is none."""
    before, after = text[max(0, start - _AROUND) : start].rstrip(), text[end : end + _AROUND].lstrip()
    if before.endswith(("<", ">", "$", "*", "/", "+", "€", "£", "####")) or after.startswith(
        ("=", "*", "/", "+", "<<")
    ):
        return True
    return before.endswith("=") and before[:-1].rstrip()[-1:].isdigit()


def _is_sum(text: str, start: int, end: int) -> bool:
    return is_sum(text, start, end) or bool(_MINUS.fullmatch(text[start:end]))


def is_thousands(text: str) -> bool:
    """`17 786 419`: a sum with its thousands apart, where no word says that somebody is called by it."""
    return _THOUSANDS.fullmatch(text) is not None


def is_of_a_thing(text: str, start: int, end: int) -> bool:
    """Whether a bare number stands for a thing: `"item_id": "6777246137"`, `order 2025550123`, a quoted key."""
    quoted = text[max(0, start - 1) : start] == '"' == text[end : end + 1]
    return quoted or _THING.search(text[max(0, start - _AROUND) : start]) is not None


def machine_ids(text: str) -> list[tuple[int, int]]:
    """Where UUIDs and digests stand; runs of digits in them are nothing."""
    return [match.span() for match in _MACHINE_ID.finditer(text)] if len(text) >= 24 else []


def _is_every_machine(text: str) -> bool:
    """Loopback and unspecified addresses are the same on every machine."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
