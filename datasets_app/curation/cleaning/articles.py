"""`a` or `an` before the next word, by how English says it. Where that is open, it says nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datasets_app.curation.cleaning.edits import Edit
from datasets_app.curation.cleaning.words import listed

_ARTICLE = re.compile(r"(?<![\w'’.&/-])([Aa]n?) (?=([\"'(]?)([A-Za-z]+(?:-[A-Za-z]+)*|8\d*|1[18](?!\d))(?![\w@]))")
_SILENT_H = re.compile(r"hour|honest|honou?r|heir", re.IGNORECASE)
_OPEN_H = re.compile(
    r"histor|herb|hereditar|habitual|hallucinat|horrific|hysteri|heroic|hotel|hilarious", re.IGNORECASE
)
# Begin with a vowel letter and the sound of "you" or "w"; "unimportant" and its like do not.
_LIKE_YOU = re.compile(
    r"uni(?!n|m|dent|ss)|unanim|us[aeiu]|ut[eio]|ur[aeio]|ubi|uku|ukr|eu|ewe|one(?![ri])|once", re.IGNORECASE
)
_SAID_WITH_A_VOWEL_FIRST = "aefhilmnorsx"  # the names of these letters: "an F", "an SMS"
# "a" is a letter or a name here, no article: "option a is", "vitamin a or b".
_NAMED = listed(
    "option plan vitamin type grade class section part point group team hepatitis letter answer choice block gate "
    "terminal level model step case version tier size side column row note key appendix exhibit schedule"
)
_NO_NOUN = listed(
    "is are am and or in of on at if as it i isn aren into onto its it's us up until unless under upon about above after all "
    "also although any anything anyone are around either else enough even ever every everyone everything out our over or other "
    "again against an a am another"
)
_BEHIND_AN = listed("then the he she they we you my his her their this that than so to but that's")


def articles(text: str) -> Iterator[Edit]:
    """`a apple` to `an apple`, `an car` to `a car`. Acronyms count only where they cannot be said as a word."""
    for match in _ARTICLE.finditer(text):
        given, word = match[1], match[3]
        wanted = _wanted(word)
        if wanted is None or wanted == given.lower() or not _is_article(text, match.start(), given, word):
            continue
        yield Edit(match.start(1), match.end(1), given[0] + wanted[1:])


def _is_article(text: str, at: int, given: str, word: str) -> bool:
    lowered, before = word.lower(), text[:at].rstrip()
    last = re.search(r"[A-Za-z]+$", before)
    if given == "A" and before and before[-1] not in ".?!:;\"'()\n*-•":
        return False
    if given.lower() == "a":
        return lowered not in _NO_NOUN and not (last and last[0].lower() in _NAMED)
    plural = lowered.endswith("s") and not lowered.endswith(("ss", "us", "is"))  # "cats an dogs" lost its d
    return lowered not in _BEHIND_AN and lowered not in _NO_NOUN and not plural


def _wanted(word: str) -> str | None:
    """`a`, `an`, or None where both are heard or nobody can know."""
    first = word[0].lower()
    if first == "8" or word[0] == "1":  # eight, eleven, eighteen
        return "an"
    if word[1:2] == "-":
        return _before_letter(first)
    if len(word) == 1:
        return None
    if word.isupper():
        return _before_letter(first) if len(word) <= 5 and not set(word) & set("AEIOUY") and word != "SQL" else None
    if first == "h" and (_OPEN_H.match(word) or _SILENT_H.match(word)):
        return None if _OPEN_H.match(word) else "an"
    if first in "aeiou":
        return "a" if _LIKE_YOU.match(word) else "an"
    return "a" if word.islower() or word[1:].islower() else None


def _before_letter(letter: str) -> str:
    return "an" if letter in _SAID_WITH_A_VOWEL_FIRST else "a"
