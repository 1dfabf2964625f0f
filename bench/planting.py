"""Errors of the kinds that people make, planted into text. Knows no rule that mends them."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from datasets_app.curation.cleaning.edits import protected
from datasets_app.curation.cleaning.words import frequencies

Planter = Callable[[str, random.Random], Iterator[tuple[int, int, str]]]


def _words(text: str, pattern: str) -> list[re.Match[str]]:
    closed = protected(text)
    return [
        match
        for match in re.finditer(pattern, text)
        if not any(start < match.end() and match.start() < end for start, end in closed)
    ]


def plant_doubled(text: str, chance: random.Random) -> Iterator[tuple[int, int, str]]:
    for match in _words(text, r"(?<![\w'-])[A-Za-z]{2,}(?![\w'-])"):
        if chance.random() < 0.04:
            yield match.end(), match.end(), " " + match[0].lower()


def plant_articles(text: str, chance: random.Random) -> Iterator[tuple[int, int, str]]:
    for match in _words(text, r"(?<![\w'.-])(?:[Aa]|[Aa]n)(?= [\w\"'(])"):
        if chance.random() < 0.4:
            yield match.start(), match.end(), match[0][0] if len(match[0]) > 1 else match[0] + "n"


def plant_apostrophes(text: str, chance: random.Random) -> Iterator[tuple[int, int, str]]:
    for match in _words(
        text, r"\b(?:[A-Za-z]+n't|[A-Za-z]+'(?:m|ve|re|ll|d)|(?:[Tt]hat|[Ii]t|[Ww]hat|[Hh]ere|[Tt]here)'s|[Ll]et's)\b"
    ):
        if chance.random() < 0.6:
            yield match.start(), match.end(), match[0].replace("'", "")


def plant_capitals(text: str, chance: random.Random) -> Iterator[tuple[int, int, str]]:
    for match in _words(text, r"(?:\A|(?<=[a-z]{2}[.!?] ))[A-Z](?=[a-z]+[ ,])|(?<= )I(?= )"):
        if chance.random() < 0.4:
            yield match.start(), match.end(), match[0].lower()


def plant_ends(text: str, chance: random.Random) -> Iterator[tuple[int, int, str]]:
    if text[-1] in ".?" and text[-2].isalnum() and chance.random() < 0.6:
        yield len(text) - 1, len(text), ""


def plant_spacing(text: str, chance: random.Random) -> Iterator[tuple[int, int, str]]:
    for match in _words(text, r"(?<=[a-z])[,.?!;](?= |\Z)|(?<=[a-z]), (?=[a-z])|(?<=[a-z][a-z])[.?!] (?=[A-Z][a-z]+ )"):
        if chance.random() < 0.25:
            yield match.start(), match.end(), match[0].rstrip() if match[0].endswith(" ") else " " + match[0]


def _slip(word: str, chance: random.Random) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    at = chance.randrange(len(word) - 1) if chance.random() < 0.05 else chance.randrange(1, len(word) - 1)
    kind = chance.random()
    if kind < 0.3:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind < 0.55:
        return word[:at] + word[at + 1 :]
    if kind < 0.75:
        return word[:at] + (word[at] if chance.random() < 0.5 else chance.choice(letters)) + word[at:]
    return word[:at] + chance.choice(letters) + word[at + 1 :]


def plant_spelling(text: str, chance: random.Random) -> Iterator[tuple[int, int, str]]:
    known = frequencies()
    for match in _words(text, r"(?<![\w'-])[a-z]{4,}(?![\w'-])"):
        word = match[0]
        if chance.random() < 0.06 and word in known:
            wrong = _slip(word, chance)
            wrong = _slip(wrong, chance) if chance.random() < 0.15 and len(word) > 6 else wrong
            if wrong not in known and wrong != word:
                yield match.start(), match.end(), wrong


PLANTERS: dict[str, Planter] = {
    "spacing": plant_spacing,
    "doubled_words": plant_doubled,
    "apostrophes": plant_apostrophes,
    "articles": plant_articles,
    "sentence_capitals": plant_capitals,
    "end_marks": plant_ends,
    "spelling": plant_spelling,
}


def plant(text: str, planter: Planter, chance: random.Random) -> tuple[str, list[tuple[int, int, str]]]:
    """The text with errors in it, and for each its place there and what stood there before."""
    parts, at, length, errors = [], 0, 0, []
    for start, end, wrong in planter(text, chance):
        if start < at:
            continue
        parts += [text[at:start], wrong]
        length += start - at
        errors.append((length, length + len(wrong), text[start:end]))
        length += len(wrong)
        at = end
    return "".join([*parts, text[at:]]), errors
