"""What a column's name says about its values: `ssn`, `Phone`, `customerName`. Knows names and values, no texts' meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from datasets_app.curation.layouts import ColumnMap

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_TYPES: tuple[tuple[str, str], ...] = (
    ("EMAIL_ADDRESS", r"e ?mails?(?: address(?:es)?)?"),
    ("US_SSN", r"ssn|social security(?: number| no)?|sin|national id(?: number)?|personal id(?: number)?"),
    ("CREDIT_CARD", r"(?:credit|debit|payment|bank)? ?cards?(?: ?(?:number|no|num))|cc ?(?:number|no|num)|credit card|pan"),
    ("IBAN_CODE", r"iban"),
    (
        "ACCOUNT_NUMBER",
        r"(?:bank )?(?:account|acct)(?: ?(?:number|no|num))|routing(?: number)?"
        r"|(?:member|policy|patient|medical record) (?:id|number|no)",
    ),
    ("PHONE_NUMBER", r"(?:tele|cell|mobile|home|work)? ?(?:phones?|mobile)(?: ?(?:number|no))?|cell|tel|telephone|fax|whatsapp"),
    ("IP_ADDRESS", r"ip|ip ?address|ipv[46]"),
    ("US_DRIVER_LICENSE", r"driv(?:er|ers|ing) ?(?:s )?licen[cs]e(?: ?(?:number|no))?|dl ?(?:number|no)"),
    ("PASSPORT", r"passport(?: ?(?:number|no))?"),
    ("DATE_OF_BIRTH", r"dob|date of birth|birth ?da(?:te|y)|born(?: on)?"),
    ("PASSWORD", r"password|passwd|pwd|pin"),
    ("USERNAME", r"user ?name|login|screen ?name|handle"),
    ("ADDRESS", r"(?:home|street|postal|mailing|billing|shipping|delivery|work)? ?address(?: ?(?:line)? ?\d)?|street(?: name)?"),
    ("ZIP_CODE", r"zip(?: ?code)?|post(?:al)? ?code|plz"),
    (
        "PERSON",
        r"(?:(?:full|first|last|middle|maiden|given|family|sur|fore|legal|real|display|customer|client|contact|caller|agent"
        r"|author|sender|recipient|patient|employee|guest|person|holder|card ?holder|member|student|owner|buyer|seller"
        r"|user|name) ?)?names?|surname|forename|author|sender|recipient",
    ),
)  # fmt: skip
_BY_NAME = [(name, re.compile(pattern)) for name, pattern in _TYPES]
_TITLE = re.compile(r"[\d:?]")
MOST_NAMES = 6  # words; what has more is the title of something
LEAST, MOST = 2, 200  # characters of a value that is looked for elsewhere in its row
_ROLES = frozenset(
    re.findall(
        r"\S+",
        "user assistant agent customer system bot human gpt client caller operator support advisor me you ",
    )
)


def column_type(name: str) -> str | None:
    """The type of the values below a column's name; None for a column that says nothing."""
    words = " ".join(part.lower() for part in _PART.findall(name))
    return next((entity_type for entity_type, pattern in _BY_NAME if pattern.fullmatch(words)), None)


def spoken(values: Mapping[str, object], mapping: ColumnMap) -> dict[str, object]:
    """A record without the columns that say who speaks or belong together: what stands there is no name."""
    silent = {mapping.speaker, *mapping.group}
    return {name: value for name, value in values.items() if name not in silent}


def typed_values(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """(value, entity type) of a record's columns whose names say what they hold.

    A name is given in whole and, where it has several, word by word: people are called by either.
    """
    for name, value in values.items():
        entity_type = column_type(name)
        text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if entity_type is None or not LEAST <= len(text) <= MOST or text.casefold() in _ROLES:
            continue
        if entity_type == "PERSON" and _is_title(text):
            continue
        yield text, entity_type
        if entity_type == "PERSON":
            yield from ((word, entity_type) for word in _parts_of(text))


def _is_title(text: str) -> bool:
    """Whether a column called "name" names a page, a product or a disease: several words with a number or a colon."""
    words = text.split()
    return len(words) > MOST_NAMES or (len(words) > 1 and _TITLE.search(text) is not None)


def _parts_of(name: str) -> Iterable[str]:
    words = [word.strip(".,'\"()") for word in name.split()]
    return [word for word in words if len(word) > 2 and word[0].isupper()] if len(words) > 1 else []
