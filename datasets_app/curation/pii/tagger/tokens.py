"""Text as the tagger sees it: words, numbers and marks with their places, and what is known of each by its looks alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

TOKEN = re.compile(r"[^\W\d_]+|\d+|\s*\n\s*|[^\w\s]|_")
TURN = "\x1e"
"""Stands between what was said before and the text itself."""
LETTERS = 14
"""Characters of a token that are looked at; of longer ones the first and the last seven."""
UNKNOWN = 1
RARE = {"english": 2, "name": 3, "place": 4, "name or place": 5, "plain": 6}
"""Numbers of words that are not in the vocabulary by themselves, by what they are known as; `plain` words are English and
names or places as well."""
FIRST_WORD = 7
_KNOWN = (
    "abcdefghijklmnopqrstuvwxyz0123456789.,:;-/'\"()@#&+_!?<>%$€£*=\n\x1e"
    "áàâäãåæçéèêëíìîïñóòôöõøœßúùûüýÿšžčćđłńśźżąęěřťůňďľĺŕőűğışţțșăāēīūķļņģėįųþð"
)
_CHARACTERS = {letter: place + 2 for place, letter in enumerate(_KNOWN)}
_BLOCKS = 30
CHARACTERS = len(_CHARACTERS) + 2 + _BLOCKS
SHAPES = 54


class Token(NamedTuple):
    """A token: its place in the text and whether it follows the one before without white space."""

    text: str
    start: int
    end: int
    glued: bool


class Features(NamedTuple):
    """What the network gets of a token: numbers of its word, its shape and its characters."""

    word: int
    shape: int
    letters: Sequence[int]


def tokenize(text: str) -> list[Token]:
    """The tokens of a text in order; white space other than line breaks belongs to none."""
    found: list[Token] = []
    at = -1
    for match in TOKEN.finditer(text):
        start, end = match.span()
        found.append(Token(match[0], start, end, start == at))
        at = end
    return found


def key(token: str) -> str:
    """The token as the vocabulary holds it: lower-case; a number of more than two digits by its length."""
    if token.isdigit() and len(token) > 2:
        return f"#{min(len(token), 20)}"
    return "\n" if "\n" in token else token.lower()


def shape(token: str, *, glued: bool) -> int:
    """A small number for the looks: casing, or the count of digits, or a mark; odd when glued to the token before."""
    if token.isdigit():
        kind = 6 + min(len(token), 20)
    elif token.islower():
        kind = 0
    elif len(token) > 1 and token.isupper():
        kind = 1
    elif token[0].isupper():
        kind = 2 if token[1:].islower() or len(token) == 1 else 3
    elif "\n" in token:
        kind = 5
    else:
        kind = 4
    return kind * 2 + glued


def letters(token: str) -> list[int]:
    """Numbers of the characters, `LETTERS` of them, 0 for none; digits of long numbers are not told apart."""
    if token.isdigit() and len(token) > 4:
        token = "0" * len(token)
    if len(token) > LETTERS:
        token = token[: LETTERS // 2] + token[-(LETTERS // 2) :]
    numbers = [_CHARACTERS.get(letter) or _block(letter) for letter in token.lower()[:LETTERS]]
    return numbers + [0] * (LETTERS - len(numbers))


def _block(letter: str) -> int:
    """Letters of other scripts share numbers in blocks of 64."""
    return len(_CHARACTERS) + 2 + (ord(letter) // 64) % _BLOCKS if letter.isalpha() else UNKNOWN


def features(token: str, vocabulary: Mapping[str, int], *, glued: bool) -> Features:
    return Features(vocabulary.get(key(token), UNKNOWN), shape(token, glued=glued), letters(token))
