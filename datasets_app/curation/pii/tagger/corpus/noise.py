"""How people really type: casings, typing slips, dropped accents and marks. Works on pieces, so labels stay exact."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable

from datasets_app.curation.pii.tagger.corpus.pieces import Piece

_MARKS = re.compile(r"[^\w\s]|_")
_WORD = re.compile(r"[^\W\d_]{4,}")
_GAP = re.compile(r"(?<=[a-z]) (?=[a-z])")
_STRAY = ("â€™", "Ã©", "\u200b", "\ufeff", "�", "â€“", "&amp;", "&#39;", "\xa0", "🙂", "😀", "👍", "🙏")
KEPT = ("EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS")
Change = Callable[[str], str]


def plain_letters(text: str) -> str:
    """The text without accents, as on a keyboard that has none."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def slip(word: str, rng: random.Random) -> str:
    """The word with two letters swapped, one dropped, doubled or replaced by another."""
    place = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    if kind == 1:
        return word[:place] + word[place + 1 :]
    if kind == 2:
        return word[:place] + word[place] + word[place:]
    return word[:place] + rng.choice("aeiourstnlhm") + word[place + 1 :]


def _everywhere(pieces: list[Piece], change: Change, *, marks: bool = False) -> list[Piece]:
    return [Piece(change(text) if not (marks and label in KEPT) else text, label) for text, label in pieces]


def _slips(pieces: list[Piece], rate: float, rng: random.Random) -> list[Piece]:
    def change(text: str) -> str:
        return _WORD.sub(lambda found: slip(found[0], rng) if rng.random() < rate else found[0], text)

    return _everywhere(pieces, change, marks=True)


def _joined(pieces: list[Piece], rng: random.Random) -> list[Piece]:
    """Ordinary words run together: "thankyou", "somuch"."""

    def change(text: str) -> str:
        return _GAP.sub(lambda found: "" if rng.random() < 0.2 else " ", text)

    return [Piece(text if label else change(text), label) for text, label in pieces]


def _case(pieces: list[Piece], rng: random.Random) -> list[Piece]:
    chance = rng.random()
    if chance < 0.26:
        return _everywhere(pieces, str.lower)
    if chance < 0.31:
        return _everywhere(pieces, str.upper)
    if chance < 0.33:
        return _everywhere(pieces, str.title)
    if chance < 0.35:
        return [Piece(text.lower() if label else text, label) for text, label in pieces]
    if chance < 0.385:
        return [Piece(text.upper() if label else text, label) for text, label in pieces]
    if chance < 0.395:
        return _everywhere(pieces, lambda text: "".join(rng.choice((str.lower, str.upper))(letter) for letter in text))
    return pieces


def as_typed(pieces: list[Piece], rng: random.Random) -> list[Piece]:
    """A text as somebody might send it: about half are left as they are."""
    pieces = _case(pieces, rng)
    if rng.random() < 0.1:
        pieces = _slips(pieces, rng.choice((0.04, 0.1, 0.2)), rng)
    if rng.random() < 0.12:
        pieces = _everywhere(pieces, plain_letters)
    if rng.random() < 0.08:
        pieces = _everywhere(pieces, lambda text: _MARKS.sub("", text), marks=True)
    if rng.random() < 0.03:
        pieces = _everywhere(pieces, lambda text: text.replace(". ", ".").replace(", ", ","), marks=True)
    if rng.random() < 0.02:
        pieces = _everywhere(pieces, lambda text: text.replace(" ", "  "))
    if rng.random() < 0.06:
        pieces = _joined(pieces, rng)
    if rng.random() < 0.03:
        place = rng.randrange(len(pieces) + 1)
        pieces = [*pieces[:place], Piece(rng.choice(_STRAY) + rng.choice(("", " "))), *pieces[place:]]
    return pieces


def as_chat(pieces: list[Piece], rng: random.Random) -> list[Piece]:
    """A turn of a hurried chat: mostly lower-case, often without marks, with more slips."""
    if rng.random() < 0.6:
        pieces = _everywhere(pieces, str.lower)
    if rng.random() < 0.45:
        pieces = _everywhere(pieces, lambda text: _MARKS.sub("", text).replace("\n", " "), marks=True)
    if rng.random() < 0.2:
        pieces = _slips(pieces, rng.choice((0.05, 0.15, 0.3)), rng)
    if rng.random() < 0.1:
        pieces = _joined(pieces, rng)
    return pieces
