"""Where English sentences begin and end: capitals at the start, a mark at the end, and the word I."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datasets_app.curation.cleaning.edits import Edit
from datasets_app.curation.cleaning.words import CHAT, listed

_I = re.compile(r"(?<![\w'’.@#/&+-])i(?=(?:'(?:m|ve|ll|d))?(?:[ ,!?;\n]|\Z))")
_SPELT_OUT = re.compile(r"(?:\s|^)[b-z] i [b-z](?:\s|$)")  # "n i g h t"
_START = re.compile(
    r"(?:\A[\"'(]*|(?<=[^\s.])([.!?])[\"')]* +[\"'(]?|(?<=[.!?])\n+[\"'(]?)([a-z][a-z]*(?:'[a-z]+)?)(?=[ ,.!?:;\n'\"]|\Z)"
)
_SHORTENED = re.compile(
    r"(?:\b(?:e\.g|i\.e|eg|ie|a\.m|p\.m|etc|vs|approx|no|nos|dr|mr|mrs|ms|st|jr|sr|inc|ltd|co|corp|dept|est|fig|figs|min|max|sec|hr|hrs"
    r"|vol|pp|ed|eds|al|cf|viz|ca|ext|tel|incl|resp|u\.s|u\.k|[a-z]|oz|lb|lbs|ft|in|mt|ave|blvd|rd)|\d)\.[\"')]* +[\"'(]?$",
    re.IGNORECASE,
)
_NO_CAPITAL = listed("i.e e.g von van de la www http https")

_AUXILIARY = "is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|am"
_ASKS = re.compile(
    r"(?:(?:so|and|but|ok|okay|hi|hello|hey|please|well|now|also|then|or|great|sure|yes|no),? )*"
    rf"(?:(?:what|where|why|how|when|who|which)(?:'s|'re| (?:{_AUXILIARY})) (?!you need|we need)"
    rf"|(?:how (?:much|many|long|far|often|old|soon)|what|which) [^,]*\b(?:{_AUXILIARY})\b"
    rf"|(?:{_AUXILIARY}|isn't|aren't|don't|doesn't|didn't|can't|couldn't|won't|wouldn't|shouldn't|hasn't|haven't)"
    r" (?:i|you|he|she|it|we|they|there|this|that|these|those|my|your|our|the|any|anyone|someone|somebody|anybody)\b)",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\b(?:what|where|why|how|when|who|whose|which|whom|whether|anyone|anything|any|else)\b"
    r"|\A(?:(?:so|and|but|ok|okay|please|well|now|also|then|yes|no|sure|great|thanks|hi|hello|hey),? )*"
    r"(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|am|may|might|if|need|want)\b"
    r"|(?:right|correct|no|yes|ok|okay|huh|please)\Z",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"(?:, (?:(?:and|but|so|then) )?|: |; | - )")
_ENDS_IN_WORD = re.compile(r"(?:[a-z]{2}|[a-z][)\"']|\d|\]|(?<= )I)\Z")
_TURNS = re.compile(r"(?:[.!?][\"')]*\s+|\n)")
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|been|am|has|have|had|do|does|did|can|could|will|would|should|must|may|might|need|needs|want|wants|"
    r"get|got|make|made|let|go|went|think|know|see|saw|say|said|use|used|work|works|please|thank|thanks|[a-z]+n't|[a-z]+'(?:m|re|ve|ll|s)|"
    r"[a-z]{3,}ed)\b",
    re.IGNORECASE,
)
_LEAST_WORDS = 4


def sentence_capitals(text: str) -> Iterator[Edit]:
    """A capital at the start of the text and behind `.`, `!`, `?`; `i` to `I`. Not behind `e.g.` and its like."""
    for match in _I.finditer(text):
        if _SPELT_OUT.search(text[max(0, match.start() - 3) : match.end() + 3]):
            continue
        yield Edit(match.start(), match.end(), "I")
    for match in _START.finditer(text):
        word, at = match[2], match.start(2)
        if (
            word in _NO_CAPITAL
            or (len(word) < 6 and word in CHAT)
            or (match[1] == "." and _SHORTENED.search(text[max(0, at - 14) : at]))
        ):
            continue
        if match[1] and text[match.start() : at].lstrip(".!?")[:1] in ('"', "'", ")"):
            continue  # "Go!" is a cry
        if word == "i":
            continue  # found above, or spelt out
        if at and len(word) == 1 and text[at + 1 : at + 2] in (".", ")", ":"):
            continue  # "b) …" in a list
        yield Edit(at, at + 1, word[0].upper())


def end_marks(text: str) -> Iterator[Edit]:
    """A mark at the end of prose that has none: `?` behind a question, else `.`.

    Nothing where it is open: no sentence (short, no verb, a list or heading), or a start that may ask or tell.
    """
    end = len(text.rstrip())
    stripped = text[:end]
    if not _ENDS_IN_WORD.search(stripped):
        return
    last = _TURNS.split(stripped)[-1].lstrip("\"'( ")
    if len(last.split()) < _LEAST_WORDS or last[:1] in "-*•#|>" or re.match(r"\d+[.)]", last):
        return
    if "\n" in stripped and not re.search(r"[.!?:]\s*\n[^\n]*\Z", stripped):
        return
    clauses = _CLAUSE.split(last)
    if any(_ASKS.match(clause) for clause in (clauses[0], clauses[-1])):
        yield Edit(end, end, "?")
    elif _VERB.search(last) and not _OPEN.search(last):
        yield Edit(end, end, ".")
