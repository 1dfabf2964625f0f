"""Words that say whose number comes: "ssn", "account no", "dial". Knows words, not numbers; the standard library alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

OTHER = "OTHER"  # a sum, a date, an order: a number of nobody
WHEN = "WHEN"  # "on 061518", "at 1000": mostly a date or a sum, but behind "call me" a telephone number
NOBODY = (OTHER, WHEN)
_WORDS: tuple[tuple[str, str], ...] = (
    (
        "US_DRIVER_LICENSE",
        r"driv(?:er|ing|ers)(?:['’]?s)?['’]? ?(?:licen[cs]es?|permits?)|dl(?= ?(?:no\b|num|#|:))"
        r"|licen[cs]e(?= ?(?:no\b|num|#|is\b|id\b))",
    ),
    ("PASSPORT", r"passports?"),
    (
        "US_SSN",
        r"ssn|ss ?(?:#|no\b|num(?:ber)?)|social security|social sec|(?<!your )social(?= (?:#|no\b|num|is\b|ends?\b|ending\b|\d))",
    ),
    ("TAX_NUMBER", r"tax(?:payer)? ?(?:id|number|no\b)|itin|national (?:id|insurance)|nino"),
    (
        "ACCOUNT_NUMBER",
        r"(?<!on )(?<!into )(?:account|acct|acount|accnt|acc?|a/c|ac num|checking|savings?|routing|sort code)s?(?! of\b)"
        r"|(?:member|customer|client|policy|patient|employee|student|medical record)(?:ship)?(?= ?(?:id|number|no|num|nr)\b)",
    ),
    (
        "CREDIT_CARD",
        r"(?:(?:credit|debit|bank|cr|atm|gift|visa|master) ?)*card|cc|visa"
        r"|(?:credit|debit)(?= (?:no|num|nr|number|is|ending|ends|\d))|mastercard|amex",
    ),
    (
        "PHONE_NUMBER",
        r"(?:tele)?phones?|cell(?:phone)?|mobiles?|whatsapp|sms|fax|call|text|dial|ring|reach|contact|tel|landline",
    ),
    ("PIN", r"pin|cvv|cvc|passcode|security code|access code|otp|one[- ]time (?:code|password)"),
    ("ZIP_CODE", r"zip(?: ?code)?|post(?:al)? ?code|pin ?code"),
    (WHEN, r"on|at|by|for"),
    (
        OTHER,
        r"how (?:much|many|long|often)|amounts?|charged?s?|transfer(?:red|s)?|pay(?:ment)?s?|paid|bill(?:ed)?|balances?"
        r"|limits?|fees?|costs?|worth|prices?|total|sum|dates?|times?|years?|months?|days?|hours?|minutes?|since|until"
        r"|orders?|invoice|ticket|case|reference|ref|rooms?|flights?|version|model|page|size|rates?|points?|scores?"
        r"|about|around|over|under|than|between|only|least|most|up|dollars?|euros?|pounds?|rupees?|bucks|usd|eur|rs"
        r"|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?"
        r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|buy|bought|sell|sold|spend|spent|when",
    ),
)
# a word behind a bracket is a mask, "[CARD]": what it hid is known
_CUE = re.compile("|".join(rf"(?P<{name}>(?<![\w\[])(?:{words})(?!\w))" for name, words in _WORDS), re.IGNORECASE)
_FILLERS = frozenset(
    re.findall(
        r"\S+",
        "is are was be would it it's its the my his her our your their a an and or number numbers no num nos nr "
        "id code of in with as to end ends ending ended digit digits digts last first four five six nine ten "
        "sixteen full following which that this these actually name named called pin account sorry sure yes yeah "
        "yep ya ok okay oh um well here hello hi hey sir mam madam please pls thanks thank you correct right i am "
        "i'm im me ssn at under just use try one other new old 4 5 6 9 16 ",
    )
)
_QUANTITY = re.compile(
    r"\b(?:how (?:much|many|long|often|old)|amounts?|(?:what|which|the) (?:time|date|day|year|month)|when|dates?)\b",
    re.IGNORECASE,
)
_IDENTITY = re.compile(
    r"\b(?:ssn|social security|account|acct|a/?c|cards?|bank|banking|balance|address|billing|statement|verify|verification|identity"
    r"|(?:my|full|nick) name|name is)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:'[a-z]+)?")
_SENTENCE_END = re.compile(r"(?<!\bno)(?<!\bnr)(?<!\btel)(?<!\bacct)[.!](?:\s|$)|[^?:\s][ \t]*\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cue:
    """Characters `start` to `end` (exclusive) announce a number of `entity_type` (OTHER: nobody's)."""

    start: int
    end: int
    entity_type: str


def cues(text: str) -> Iterator[Cue]:
    """All of them, in order."""
    for match in _CUE.finditer(text):
        yield Cue(match.start(), match.end(), str(match.lastgroup))


def asked_for(text: str) -> str | None:
    """What a turn asks for: the number that it names last; OTHER for how much or when; None for nothing."""
    found, at = None, 0
    for cue in cues(text):
        if cue.entity_type not in NOBODY:
            found, at = cue.entity_type, cue.end
    return OTHER if _QUANTITY.search(text, at) else found


def is_about_identity(text: str) -> bool:
    """Whether a turn is about who somebody is or what is theirs at a bank."""
    return _IDENTITY.search(text) is not None


def is_filler(text: str) -> bool:
    """Whether only words that add nothing to a number stand there: "is the last four of", "yes, sorry, it is"."""
    return all(word in _FILLERS for word in _WORD.findall(text.lower()))


def has_more_words(text: str, start: int, end: int, *, than: int) -> bool:
    """Whether more words stand between two places; reads no further than it must."""
    return any(True for _word in islice(_WORD.finditer(text, start, end), than, None))


def leaves_the_sentence(text: str) -> bool:
    """Whether a sentence ends in `text`."""
    return _SENTENCE_END.search(text) is not None
