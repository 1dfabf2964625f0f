"""Spacing round punctuation and words typed twice, in English. Gives edits; protects nothing by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datasets_app.curation.cleaning.edits import Edit
from datasets_app.curation.cleaning.words import is_english_word, listed

_BEFORE = re.compile(r"(?<=[\w\")\]'’]) +(?=[,?!](?![,?!=])|[;:](?=\s|\Z)|\.(?:[\s\")]|[A-Z][a-z]|\Z))")
_BEHIND = re.compile(r"(?<=[\w\")\]'’] [,?!])(?=[^\W\d_])|(?<=[a-z] \.)(?=[A-Z][a-z])")
_AFTER_COMMA = re.compile(r"(?<=[^\W\d_])[,;](?=[^\W\d_])")
_AFTER_END = re.compile(r"(?<=[a-z]{2})[.?!](?=[A-Z][a-z]+(?:[\s,']|\Z)|(?:I|A) )")
_INSIDE_OPEN = re.compile(r"(?<=[\s][(\[]) +(?=[\w\"'])")
_INSIDE_CLOSE = re.compile(r"(?<=[\w\"'.?!]) +(?=[)\]](?:[\s\w.,;:?!]|\Z))")
_BEFORE_OPEN = re.compile(r"(?<=[a-z]{2})(?=\([A-Za-z]+ )")
_AFTER_CLOSE = re.compile(r"(?:(?<=[a-z]\))|(?<=[a-z] \)))(?=[A-Za-z]{2})")

_TWICE = re.compile(r"(?<![\w'’-])([^\W\d_]+(?:'[a-z]+)?)[ \n]\1(?![\w'’-])", re.IGNORECASE)
# Said twice on purpose, or right twice in a row ("had had", "that that").
_MEANT_TWICE = listed(
    "very really so too much many more long far big old no yes yeah ok okay bye hello hi hey please ha haha he hee ho la na da "
    "blah bla knock tick tock there now well wow ah oh uh um hmm never ever again always quite way up down round on "
    "that had her his you it do did in is what who one two three four five six seven eight nine ten zero oh "
    "good bad great nice cute dear sorry thanks help stop wait go run hot cold rock work buy bang boo bora "
    "pom chop choo dum tut night cha can aye couscous beep ding ring win lose some"
    " day week month year side face step hand arm back word line page bit heart end time by over"
)


def spacing(text: str) -> Iterator[Edit]:
    """` ,` to `,`, `a,b` to `a, b`, `end.Next` to `end. Next`, `( in )` to `(in)`, `word(in brackets)` to `word (…)`."""
    for pattern, new in (
        (_BEFORE, ""),
        (_INSIDE_OPEN, ""),
        (_INSIDE_CLOSE, ""),
        (_BEFORE_OPEN, " "),
        (_AFTER_CLOSE, " "),
    ):
        for match in pattern.finditer(text):
            yield Edit(match.start(), match.end(), new)
    for pattern in (_BEHIND, _AFTER_COMMA, _AFTER_END):
        for match in pattern.finditer(text):
            yield Edit(match.end(), match.end(), " ")


def doubled_words(text: str) -> Iterator[Edit]:
    """`the the` to `the`. Emphasis, names and words that may rightly follow themselves stay."""
    for match in _TWICE.finditer(text):
        first = match[1]
        second = text[match.end() - len(first) : match.end()]
        if second != first and not (second == first.lower() and first[1:].islower()):
            continue
        if first.lower() in _MEANT_TWICE or (first[0].isupper() and second[0].isupper()) or len(first) < 2:
            continue
        before, after = text[: match.start()].rstrip()[-1:], text[match.end() :].lstrip()[:1]
        if _goes_on(text, match, first) or (before in ",-" and before) or after == "-":
            continue
        if is_english_word(first):
            yield Edit(match.start() + len(first), match.end(), "")


def _goes_on(text: str, match: re.Match[str], word: str) -> bool:
    """Whether the word comes three times or more: that is emphasis or a pattern, not a slip."""
    around = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
    return bool(
        around.match(text[match.end() :].lstrip())
        or text[: match.start()].rstrip().lower().endswith((f" {word.lower()}", f"\n{word.lower()}"))
    )
