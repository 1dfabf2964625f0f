"""Shapes of personal data with their checksums, from the standard library alone: web processes use it too."""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter

from datasets_app.curation.pii.impostors import is_impostor, is_thousands, machine_ids


@dataclass(frozen=True, slots=True)
class Span:
    """A finding: characters `start` to `end` (exclusive) are of `entity_type`, with a score from 0 to 1.

    `source` says what found it: a `shape` of ours, a `recognizer` of Presidio, the `words` around, the `model`, a
    `column` of the record, or the `list` of a workspace.
    """

    start: int
    end: int
    entity_type: str
    score: float
    source: str = "shape"


def luhn(digits: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, letter in enumerate(reversed(digits)):
        value = int(letter)
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


_IBAN_LENGTHS = {
    15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS", 23: "AE GI IL IQ TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "PT UA",
    26: "IS TR", 27: "FR GR IT MC SM", 28: "AL AZ BY CY DO GT HU LB PL SV", 29: "BR EG PS QA", 30: "JO KW MU", 31: "MT",
    32: "LC", 33: "RU",
}  # fmt: skip
_IBAN = "|".join(
    rf"(?:{countries.replace(' ', '|')})\d\d(?:[ -]?[A-Z0-9]){{{length - 4}}}"
    for length, countries in _IBAN_LENGTHS.items()
)
_GROUPED = re.compile(r"\S+|\S{4}(?:[ -]\S{4})*(?:[ -]\S{1,4})?")


def _is_iban(text: str) -> bool:
    """A valid one, or digits of the right length behind a country: a slip of the pen is no less personal."""
    digits = sum(letter.isdigit() for letter in text)
    return iban_is_valid(text) or (bool(_GROUPED.fullmatch(text)) and 2 * digits > len(text))


def iban_is_valid(text: str) -> bool:
    """ISO 13616: the first four characters go to the end, letters become numbers, the rest modulo 97 is 1."""
    plain = re.sub(r"[\s-]", "", text).upper()
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


_ISSUED = re.compile(r"[3456]|2[2-7]|2131|1800")
_MAESTRO = re.compile(r"50|5[6-8]|6")


def _is_card(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    if not 12 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    if re.fullmatch(r"\d{4}([ ./-])\d{4}\1\d{4}\1\d{1,7}", text):
        return True
    issued = _MAESTRO if len(digits) == 12 else _ISSUED
    return bool(issued.match(digits)) and luhn(digits)


def _is_ssn(text: str) -> bool:
    area, group, serial = re.split(r"[-./ ]", text)
    return area not in ("000", "666") and group != "00" and serial != "0000"


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_phone(text: str) -> bool:
    digits = re.sub(r"\D", "", re.split(r"[xe]", text)[0])
    return 7 <= len(digits) <= 15 and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) and not is_thousands(text)


def _is_international(text: str) -> bool:
    return 8 <= len(re.sub(r"\D", "", re.split(r"[xe]", text)[0])) <= 15


def _is_short_phone(text: str) -> bool:
    return 6 <= len(re.sub(r"\D", "", text)) <= 15 and not re.fullmatch(r"\d{2,4}([.-])\d{2}\1\d{2,4}", text)


def _always(_text: str) -> bool:
    return True


_SHORT = r"(?P<number>(?:\(\d{2,5}\)|\d{2,5})(?:[ .-]\d{2,6}){1,3})"
_CALLED = re.compile(
    r"\b(?:call|dial|ring|text|reach|contact|phone|telephone|tel|mobile|cell|fax|desk|office|whatsapp|sms)\b"
    r"(?: (?:me|us|him|her|at|on|is|number|no))*[:. #]{1,3}" + _SHORT + r"(?![\w-]|\.\d)",
    re.IGNORECASE,
)
_NAMED_AFTER = re.compile(r"(?<![\w.+-])" + _SHORT + r"(?= (?:office|fax|mobile|cell|desk)\b)", re.IGNORECASE)
_RULES: tuple[tuple[str, re.Pattern[str], Callable[[str], bool], float], ...] = (
    (
        "EMAIL_ADDRESS",
        re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+%'-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])"),
        _always,
        1.0,
    ),
    ("URL_CREDENTIALS", re.compile(r"(?<=://)[^\s/:@]{1,64}:[^\s/]{1,128}@[\w.-]+"), _always, 1.0),
    ("IBAN_CODE", re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d\d[A-Za-z0-9]{11,30}(?![A-Za-z0-9])"), iban_is_valid, 1.0),
    ("IBAN_CODE", re.compile(rf"(?<![A-Za-z0-9])(?:{_IBAN})(?![A-Za-z0-9])", re.IGNORECASE), _is_iban, 1.0),
    ("CREDIT_CARD", re.compile(r"(?<![\d.])\d(?:[ -]?\d){11,18}(?!\d)"), _is_card, 0.95),
    (
        "CREDIT_CARD",
        re.compile(r"(?<!\d)(?<!\d[./])\d{4}([./])(?:\d{4}\1\d{4}\1\d{4}|\d{6}\1\d{5})(?!\d|[./]\d)"),
        _is_card,
        0.95,
    ),
    ("US_SSN", re.compile(r"(?<![\d-])(?<!\d[./])\d{3}([-./ ])\d{2}\1\d{4}(?![\d-]|[./]\d)"), _is_ssn, 0.85),
    ("IP_ADDRESS", re.compile(r"(?<![\w.:])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])"), _is_ip, 0.95),
    ("IP_ADDRESS", re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])"), _is_ip, 0.95),
    (
        "PHONE_NUMBER",
        re.compile(
            r"(?<![\w+])\+\d{1,3}(?:(?:[ .\-/]|(?=\())?\(?\d{1,5}\)?){1,7}(?: ?(?:x|ext\.?) ?\d{1,5})?(?![\w-])"
        ),
        _is_international,
        0.8,
    ),
    (
        "PHONE_NUMBER",
        re.compile(
            r"(?<![\w.+-])(?<!\d,)(?:\+\d{1,3}[ .-]?(?:\(0\))?[ .-]?)?\(?\d{2,5}\)?[ .-]\d{2,4}(?:[ .-]\d{2,5}){1,3}"
            r"(?: ?(?:x|ext\.?) ?\d{1,5})?(?![\w-])"
        ),
        _is_phone,
        0.6,
    ),
    ("PHONE_NUMBER", re.compile(r"(?<![\w./+-])\d{3}/\d{3}[/-]\d{4}(?![\w-]|/\d)"), _always, 0.6),
    ("PHONE_NUMBER", _CALLED, _is_short_phone, 0.7),
    ("PHONE_NUMBER", _NAMED_AFTER, _is_short_phone, 0.7),
    ("PHONE_NUMBER", re.compile(r"(?<![\w+])\+\d{8,15}(?!\w)"), _is_phone, 0.8),
    ("PHONE_NUMBER", re.compile(r"(?<![\w+-])\(\d{3}\) ?\d{3}[ -]?\d{4}(?:x\d{1,5})?(?!\w)"), _is_phone, 0.8),
)
# What word processors and phones write for a hyphen, a space and an @; a dash is a hyphen inside a number alone.
_TYPED = {
    **dict.fromkeys((0x2010, 0x2011, 0x2212, 0xFE58, 0xFE63, 0xFF0D), "-"),
    **dict.fromkeys((0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
    0xFF20: "@",
}
_DASH = re.compile("(?<=[\\d)])[\u2012-\u2015](?=[\\dA-Z])|(?<=[A-Z])[\u2012-\u2015](?=\\d)")
_start = itemgetter(0)
_HINT = re.compile(r"[\d@]")


def as_typed(text: str) -> str:
    """The text with plain hyphens and spaces, character for character: findings in it are findings in the text."""
    return text if text.isascii() else _DASH.sub("-", text.translate(_TYPED))


def find(text: str) -> Iterator[Span]:
    """Every shape that passes its check; spans may overlap."""
    text = as_typed(text)
    if not _HINT.search(text):
        return
    machine = machine_ids(text)
    for entity_type, pattern, check, score in _RULES:
        for match in pattern.finditer(text):
            part = 1 if pattern.groupindex else 0
            start, end = match.span(part)
            if not check(match.group(part)) or is_impostor(text, start, end, entity_type):
                continue
            at = bisect_right(machine, start, key=_start) - 1
            if at < 0 or end > machine[at][1]:
                yield Span(start, end, entity_type, score)
