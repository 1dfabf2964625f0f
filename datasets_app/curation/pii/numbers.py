"""Numbers that are somebody's by the words around them: "ssn 123456789", "my account no is 4471", a bare answer.

Shapes with a check digit are `patterns`' business. Here the nearest word decides, or what an earlier turn asked. The
standard library alone; knows texts and turns, not rows.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from datasets_app.curation.pii.cues import (
    NOBODY,
    OTHER,
    WHEN,
    Cue,
    cues,
    has_more_words,
    is_filler,
    leaves_the_sentence,
)
from datasets_app.curation.pii.impostors import is_sum
from datasets_app.curation.pii.patterns import Span
from datasets_app.curation.pii.talk import Talk

NEAR, FAR = 0.8, 0.6
ANSWER, LIKELY = 0.7, 0.5
FARTHEST = 12  # words between a cue and its number
LONG = 7  # digits that no sum and no date has
LEAST = {"PHONE_NUMBER": 6, "ZIP_CODE": 3, "PIN": 3, "US_SSN": 3, "US_DRIVER_LICENSE": 5, "PASSPORT": 6}
LEAST_ELSE = 4
MOST = {"ZIP_CODE": 9, "PIN": 8, "US_SSN": 11, "PHONE_NUMBER": 15}
MOST_ELSE = 20
BARE = 4
CARD_DIGITS = range(13, 20)
_DIGITS = r"\d(?:[ -]?\d)*"
_MANGLED = r"\d(?:[.,]?\d){1,5} ?e ?\+? ?1\d"  # 5.59E+15: a long number after a visit to a spreadsheet
_NUMBER = re.compile(
    rf"(?<![\w.,$€£¥%+/:#-])#?(?P<number>(?P<mangled>{_MANGLED})|[A-Z]{{1,3}}-?{_DIGITS}[A-Z]?|{_DIGITS}[A-Z]?)"
    r"(?![\w%€£¥/:]|[.,]\d|-\w)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATED = re.compile(r"(?i).*(?<!end )(?<!ends )(?<!ending )\b(?:in|since|from|of|before|after)\s+")
_POINTS = re.compile(r"(?:[:=#]|\b(?:is|are|ends|ending(?: in| with)?|ends (?:in|with)))\s*$", re.IGNORECASE)
_OWNS = re.compile(
    r"[ (]*(?:(?:is|as|was|for|are)\s+)?(?:(?:my|the|his|her|our|their)\s+)?(?:(?:old|new)\s+)?", re.IGNORECASE
)
_UNIT = re.compile(
    r"\s*(?:%|(?:am|pm|st|nd|rd|th|dollars?|euros?|pounds?|rupees?|bucks|usd|eur|inr|rs|gbp|times|years?|yrs?|days?|months?|hours?|minutes?|mins?|points?|people|percent|items?|pieces?|miles|km|gb|mb|kg)\b)",
    re.IGNORECASE,
)


class _Number:
    """A number in a text and how many digits it has; a mangled one had more than it shows."""

    __slots__ = ("digits", "end", "start", "text")

    def __init__(self, match: re.Match[str]) -> None:
        self.start, self.end = match.span("number")
        self.text = match.group("number")
        self.digits = 16 if match.group("mangled") else sum(letter.isdigit() for letter in self.text)

    def counts(self, text: str) -> bool:
        """Whether it counts or is calculated with: "4 pm", "500 dollars", "12 + 7"."""
        return _UNIT.match(text, self.end) is not None or is_sum(text, self.start, self.end)

    def fits(self, entity_type: str) -> bool:
        if entity_type in NOBODY:
            return False
        least, most = LEAST.get(entity_type, LEAST_ELSE), MOST.get(entity_type, MOST_ELSE)
        has_letters = any(letter.isalpha() for letter in self.text) and self.digits != 16
        if has_letters and entity_type not in (
            "US_DRIVER_LICENSE",
            "PASSPORT",
            "ACCOUNT_NUMBER",
            "ZIP_CODE",
            "TAX_NUMBER",
        ):
            return False
        return least <= self.digits <= most


def find(
    text: str, earlier: Sequence[str] | Talk = (), taken: Sequence[Span] = (), named: bool = False
) -> Iterator[Span]:
    """Numbers of `text`, in time that grows with its length.

    `earlier`: the turns before it, oldest first; `taken`: what else was found in it; `named`: whether somebody was
    named in an earlier turn. A bare number is an answer where the turn before asked for one, or where the talk is
    about accounts and identity; elsewhere it is nobody's, unless it is as long as a card's.
    """
    numbers = [number for match in _NUMBER.finditer(text) if not (number := _Number(match)).counts(text)]
    if not numbers:
        return
    announced = list(cues(text))
    starts, ends = [cue.start for cue in announced], [cue.end for cue in announced]
    talk = earlier if isinstance(earlier, Talk) else Talk(earlier)
    left = []
    for number in numbers:
        nearest = announced[max(0, bisect_right(ends, number.start) - FARTHEST - 1) : bisect_right(ends, number.start)]
        following = announced[at] if (at := bisect_left(starts, number.end)) < len(announced) else None
        decided = _by_words(text, number, nearest, following)
        if decided is None:
            left.append(number)
        elif decided.entity_type != OTHER:
            yield decided
    if left and _is_bare(text, numbers, taken):
        yield from _answers(left, talk, named)
    elif left and left[0].digits >= LONG and is_filler(text[: left[0].start]):
        asked = talk.asked
        if asked and left[0].fits(asked):
            yield _span(left[0], asked, ANSWER)


def _span(number: _Number, entity_type: str, score: float) -> Span:
    return Span(number.start, number.end, entity_type, score, "words")


def _by_words(text: str, number: _Number, nearest: Sequence[Cue], following: Cue | None) -> Span | None:
    """What the words around say: a span, one of OTHER, or None where they say nothing. `nearest`: the cues before it."""
    before = _before(text, number, nearest)
    if before and before.score == NEAR and before.entity_type != OTHER:
        return before
    return _after(text, number, following) or before


def _after(text: str, number: _Number, cue: Cue | None) -> Span | None:
    """ "6754 is my ssn", "5777 ac num"."""
    if cue is None or cue.entity_type in NOBODY or not number.fits(cue.entity_type):
        return None
    return _span(number, cue.entity_type, NEAR) if _OWNS.fullmatch(text, number.end, cue.start) else None


def _before(text: str, number: _Number, nearest: Sequence[Cue]) -> Span | None:
    """ "ssn 123456789", "the account that you asked for is 1234567"."""
    between: set[str] = set()  # kinds of nobody's numbers that were named nearer
    for cue in reversed(nearest):
        if has_more_words(text, cue.end, number.start, than=FARTHEST):
            break
        gap = text[cue.end : number.start]
        if cue.entity_type in NOBODY:
            between.add(cue.entity_type)
            if cue.entity_type == OTHER and number.digits < LONG:
                break
        elif number.fits(cue.entity_type):
            if leaves_the_sentence(gap) or (_YEAR.fullmatch(number.text) and _DATED.fullmatch(gap)):
                break
            harmless = {WHEN} if cue.entity_type == "PHONE_NUMBER" or _POINTS.search(gap) else set()
            if is_filler(gap) and between <= harmless:
                return _span(number, cue.entity_type, NEAR)
            if _POINTS.search(gap):
                return _span(number, cue.entity_type, FAR)
            break
    return _span(number, OTHER, NEAR) if between else None


def _is_bare(text: str, numbers: Sequence[_Number], taken: Sequence[Span]) -> bool:
    """Whether the turn is nothing but numbers, findings and words that add nothing."""
    rest, at = [], 0
    for start, end in sorted([*((n.start, n.end) for n in numbers), *((s.start, s.end) for s in taken)]):
        rest.append(text[at:start])
        at = max(at, end)
    return is_filler(" ".join([*rest, text[at:]]))


def _answers(numbers: Sequence[_Number], talk: Talk, named: bool) -> Iterator[Span]:
    asked = talk.asked
    if asked == OTHER:
        return
    verified = named or talk.is_about_identity
    for number in numbers:
        if asked and number.fits(asked):
            yield _span(number, asked, ANSWER)
        elif number.digits in CARD_DIGITS:
            yield _span(number, "CREDIT_CARD", LIKELY)
        elif verified and number.digits >= BARE and not _YEAR.fullmatch(number.text):
            yield _span(number, "ACCOUNT_NUMBER", LIKELY)
