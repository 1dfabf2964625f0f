"""A stand-in of the same kind and rough shape for a value: always the same one, and none that anybody has.

Names are invented from syllables, so that a stand-in is no other person of the data. Numbers keep their signs and
length but fail what real ones must hold: cards their check digit, IBANs theirs, social security numbers an area that is
issued. Addresses of machines and mail come from ranges set aside for documentation (RFC 2606, 3849, 2544).
"""

from __future__ import annotations

import random
import re

from datasets_app.curation.pii.keys import Keys, plain
from datasets_app.curation.pii.patterns import iban_is_valid, luhn

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_STARTS: list[str] = re.findall(
    r"\S+",
    "b br c ch d dr f fl g gr h j k kr l m n p pl qu r s sh st t th tr v w y z ",
)
_MIDDLES: list[str] = ["a", "e", "i", "o", "u", "ai", "ea", "ei", "io", "oa"]
_JOINTS: list[str] = ["b", "d", "g", "l", "ll", "m", "n", "nd", "r", "rr", "s", "t", "v", "x", "z"]
_ENDS: list[str] = re.findall(
    r"\S+",
    "bek dan del fen gor hal kin lan len lo mar mir na ner nok ran ren rik sel tan ter tov vek via vin wen zor ",
)
_KEPT_WORDS = frozenset(
    re.findall(
        r"\S+",
        "street str st road rd avenue ave lane ln drive dr boulevard blvd court ct square sq place pl way highway hwy "
        "close terrace apartment apt suite ste unit floor flat room building block house box po p.o north south east "
        "west n s e w nw ne sw se no number and of the de la le da di du van von der den al el bin inc ltd llc gmbh "
        "corp co company group bank university college hospital school mr mrs ms miss dr prof sir rue via calle "
        "strasse platz weg ",
    )
)


class Pseudonyms:
    """Stand-ins under one secret. A name is replaced word by word, so that "Dora Lee" and "Dora" stay one person."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def of(self, entity_type: str, value: str) -> str:
        """The stand-in for a value of that type."""
        made = _MAKERS.get(entity_type)
        if made is not None and (entity_type not in _DIGITED or any(map(str.isdigit, value))):
            return made(self._keys.dice(entity_type, plain(value)), value)
        if entity_type in _WORDED:
            return _WORD.sub(lambda match: self._word(match.group()), value)
        return _shaped(self._keys.dice(entity_type, plain(value)), value)

    def _word(self, word: str) -> str:
        if word.isdigit():
            return _shaped(self._keys.dice("NUMBER", word), word)
        if plain(word).rstrip(".") in _KEPT_WORDS:
            return word
        dice = self._keys.dice("WORD", plain(word))
        if len(word) == 1:
            return _cased(dice.choice("abcdefghijklmnoprstuvwyz"), word)
        return _cased(invented(dice, len(word)), word)


_DIGITED = frozenset({"CREDIT_CARD", "US_SSN", "PHONE_NUMBER"})  # spelled out in words, they are replaced by letters
_WORDED = frozenset({"PERSON", "ADDRESS", "STREET_ADDRESS", "LOCATION", "ORGANIZATION", "NRP", "DENIED", "TITLE"})


def invented(dice: random.Random, length: int = 6) -> str:
    """A word of a name's sound that no list of names holds, about as long as asked for."""
    word = dice.choice(_STARTS) + dice.choice(_MIDDLES)
    while len(word) + 3 < min(length, 12):
        word += dice.choice(_JOINTS) + dice.choice(_MIDDLES)
    return word + dice.choice(_ENDS)


def _cased(made: str, like: str) -> str:
    if like.isupper() and (len(like) > 1 or len(made) == 1):
        return made.upper()
    return made.capitalize() if like[:1].isupper() else made


def _shaped(dice: random.Random, value: str) -> str:
    """Other digits for digits, other letters for letters, signs as they were."""
    return "".join(_other(dice, letter) for letter in value)


def _other(dice: random.Random, letter: str) -> str:
    if letter.isdigit():
        return dice.choice("0123456789".replace(letter, "")) if letter.isascii() else dice.choice("0123456789")
    return _cased(dice.choice("abcdefghjkmnpqrstuvwxyz"), letter) if letter.isalpha() else letter


def _digits(value: str, digits: str) -> str:
    """The value with its digits replaced one by one."""
    following = iter(digits)
    return "".join(next(following, "0") if letter.isdigit() else letter for letter in value)


def _email(dice: random.Random, _value: str) -> str:
    return f"{invented(dice)}.{invented(dice, 7)}@example.{dice.choice(('com', 'org', 'net'))}"


def _card(dice: random.Random, value: str) -> str:
    digits = re.sub(r"\D", "", _shaped(dice, value))
    if luhn(digits):
        digits = digits[:-1] + str((int(digits[-1]) + 1 + dice.randrange(8)) % 10)
    return _digits(value, digits)


def _iban(dice: random.Random, value: str) -> str:
    made = f"{value[:2]}00{_shaped(dice, value[4:])}"  # check digits of real accounts lie between 02 and 98
    return f"{made[:2]}01{made[4:]}" if iban_is_valid(made) else made


def _ssn(dice: random.Random, value: str) -> str:
    digits = re.sub(r"\D", "", value)
    area = f"9{dice.randrange(100):02}" if len(digits) == 9 else ""
    rest = "".join(str(dice.randrange(10)) for _place in range(len(digits) - len(area)))
    return _digits(value, area + rest)


def _phone(dice: random.Random, value: str) -> str:
    """With 555 before its last four digits where it is long enough: few exchanges of that number ring anybody."""
    digits = re.sub(r"\D", "", _shaped(dice, value))
    if len(digits) >= 10:
        digits = f"{digits[:-7]}555{digits[-4:]}"
    return _digits(value, digits)


def _ip(dice: random.Random, value: str) -> str:
    if ":" in value:
        return f"2001:db8::{dice.randrange(1, 1 << 16):x}:{dice.randrange(1, 1 << 16):x}"
    return f"198.{dice.choice((18, 19))}.{dice.randrange(256)}.{dice.randrange(1, 255)}"


def _credentials(dice: random.Random, _value: str) -> str:
    return f"{invented(dice)}:{invented(dice, 9)}@{invented(dice)}.example.com"


_MAKERS = {
    "EMAIL_ADDRESS": _email,
    "CREDIT_CARD": _card,
    "IBAN_CODE": _iban,
    "US_SSN": _ssn,
    "PHONE_NUMBER": _phone,
    "IP_ADDRESS": _ip,
    "URL_CREDENTIALS": _credentials,
}
