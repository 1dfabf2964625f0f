"""Names by the words before them: "my name is …", "Name: …". Words of the language are no names. Knows no tagger."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datasets_app.curation.pii.patterns import Span

SCORE = 0.75
MOST_WORDS = 3
_OPENING = re.compile(
    r"(?:\b(?:my|his|her|their|the|full|first|last|nick|maiden|given|legal|real|new)[ -]?name|^name)"
    r"(?:\s+(?:is|was|be|are)|['’]s|\s*:)\s+",
    re.IGNORECASE | re.MULTILINE,
)
_NAME_WORD = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*\.?")
_NO_NAME = frozenset(
    re.findall(
        r"\S+",
        "a about above after again all already also always am an and any appears are as asap ask at back be because been "
        "before being but by call called can cannot change changed checking clearly correct could credit debit did do "
        "does done down each either email ending ends even ever every first for from full get give given gone got great "
        "had has have he hello help her here hey hi him his how i if im in incorrect into is it its just kept know last "
        "later left like listed long lost made many may me mentioned might misspelled missing more most much must my "
        "name named need needs never new nice no none not nothing now of off ok okay old on once one only or other our "
        "out over own phone please pls put right said same say says see seems she should shown since sir so some "
        "something spelled spelt ssn still such sure than thank thanks that the their them then there these they thing "
        "this those to today too typed under until up upon us used user very want wants was we well were what when "
        "where which while who whose why will wish with without wrong yes yet you your yours account acc ac address "
        "card cards number numbers no social security bank name names customer madam mam maam dear there available "
        "different important irrelevant known nobody somebody everyone everything visible written printed spelling",
    )
)
_HONORIFICS = frozenset(
    re.findall(r"\S+", "sir madam mam maam ma'am ma miss mister mr mrs ms dr prof dear bro mate buddy guys folks team")
)


def find(text: str) -> Iterator[Span]:
    """Up to three words behind such an opening, as long as they are no words of the language."""
    for opening in _OPENING.finditer(text):
        end = next_word = opening.end()
        for _place in range(MOST_WORDS):
            word = _NAME_WORD.match(text, next_word)
            if word is None or word.group().rstrip(".").lower() in _NO_NAME:
                break
            end = word.end()
            next_word = end + 1
            ends_here = word.group().endswith(".") and len(word.group()) > 3
            if ends_here or text[end:next_word] != " ":
                break
        if end > opening.end():
            yield Span(opening.end(), end, "PERSON", SCORE, "words")


def is_address_of_respect(text: str) -> bool:
    """Whether a supposed name is only how strangers are addressed: "sir", "madam"."""
    return all(word.rstrip(".") in _HONORIFICS for word in text.lower().split())
