"""Transcripts: who says what, told by names before colons. Text in, turns out; decides no roles but the usual names."""

from __future__ import annotations

import re
from collections import Counter

from datasets_app.curation.speakers import SPEAKERS, speaker_role

STAMP = r"[\[(]?\d{1,4}[-./:]\d{1,2}(?:[-./:]\d{1,4})?[^\]\n:A-Za-z]{0,4}(?:\d{1,2}:\d{2}(?::\d{2})?)?\s?(?:[AaPp]\.?[Mm]\.?)?[\])]?"
_LINE = re.compile(
    rf"^[ \t>*\u200e\ufeff]{{0,20}}(?P<stamp>{STAMP}[ \t]{{0,4}}[-–—]?[ \t]{{0,4}})?"
    rf"(?P<name>[^\W\d_][^:\n\t\[\](){{}}\"]{{0,39}}?|[+~][^:\n\t\[\]{{}}\"]{{3,39}}?)"
    rf"[ \t]{{0,4}}(?P<after>[\[(][^\])\n]{{0,30}}[\])])?[ \t]{{0,4}}\*{{0,2}}[::](?![/\d])\**[ \t]*",
    re.MULTILINE,
)
_DAY = re.compile(r"\d{1,4}([-./])\d{1,2}\1\d{1,4}")
_INLINE = re.compile(
    r"(?:^|(?<=[\s.!?…\"”)]))(?P<name>"
    + "|".join(sorted((name for name in SPEAKERS if len(name) > 2), key=len, reverse=True))
    + r")(?: ?\d{1,2})?[ \t]*[::][ \t]*",
    re.IGNORECASE,
)
TurnText = tuple[str, str]


def speaks(line: str) -> bool:
    """Whether a line opens with a speaker: a usual name, or any name behind a time."""
    found = _LINE.match(line)
    return bool(found and (found["stamp"] or speaker_role(found["name"])))


def day_of(line: str) -> str:
    """The day in the time before a speaker's name, as it is written; empty where there is none."""
    found = _LINE.match(line)
    day = _DAY.search(found["stamp"]) if found and found["stamp"] else None
    return day[0] if day else ""


def is_transcript(sample: str) -> bool:
    """Whether a text is mostly lines that people say, at least two of them, by two speakers."""
    lines = [line for line in sample.splitlines() if line.strip()]
    opening = [found for line in lines if speaks(line) and (found := _LINE.match(line))]
    names = {found["name"].strip().lower() for found in opening}
    return len(opening) >= 2 and len(names) >= 2 and len(opening) >= 0.3 * len(lines) and names_are_few(opening)


def are_two(talk: list[TurnText] | None) -> bool:
    """Whether turns are by people of different roles, or by several whose names say none: those stand behind a time."""
    names = {name for name, _said in talk or ()}
    roles = {speaker_role(name) for name in names}
    return len(roles) > 1 or (roles == {None} and len(names) > 1)


def names_are_few(opening: list[re.Match[str]]) -> bool:
    """Names of speakers come back; the words before colons in a list or a play's cast do not."""
    names = Counter(found["name"].strip().lower() for found in opening)
    return len(names) <= max(3, len(opening) * 0.6)


def parse_transcript(text: str) -> list[TurnText] | None:
    """(speaker, what was said) in order; None where nobody is named. What stands above the first speaker is left out.

    Lines that open with a usual name (or a time and a name) begin a turn, all others go on with it. Where a line holds
    several turns (``Agent: … Customer: …``) it is divided at the usual names.
    """
    marks = [found for found in _LINE.finditer(text) if found["stamp"] or speaker_role(found["name"])]
    if len(marks) < 2:
        marks = list(_INLINE.finditer(text))
    elif len({found["name"].lower() for found in marks}) < 2:
        inline = list(_INLINE.finditer(text))
        marks = inline if len({found["name"].lower() for found in inline}) > 1 else marks
    if not marks:
        return None
    ends = [found.start() for found in marks[1:]] + [len(text)]
    return [
        (found["name"].strip(" *_"), text[found.end() : end].strip()) for found, end in zip(marks, ends, strict=True)
    ]
