"""Everything that finds personal data, behind one call over many texts. Decides nothing about what happens to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Protocol

from datasets_app.curation.pii import impostors, introductions, numbers, patterns, recognizers
from datasets_app.curation.pii.overlaps import settle
from datasets_app.curation.pii.patterns import Span

TAGGER = "datasets_app.curation.pii.tagger.tagger"  # late: it takes a moment to load
SHAPED = frozenset({"EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS"})  # these have a shape or are none
SURE_PLACE = 0.5  # a place alone names nobody, so a doubtful one stays
SHORT = 5  # digits: fewer are an answer to something, or nobody's
_DIGIT = re.compile(r"\d")
_SENTENCES = re.compile(r"[^\W\d_]{4,}[.!?] ")
Turns = Sequence[str]


class Marks(Protocol):
    """A model that marks names, places and the like; `contexts` are the earlier turns of each text, oldest first."""

    def spans(self, texts: Sequence[str], contexts: Sequence[Turns] | None = None) -> list[list[Span]]: ...


class Finder:
    """Shapes, Presidio's recognisers, numbers by the words around them, and a tagger where there is one."""

    def __init__(self, tagger: Marks | None = None) -> None:
        self.tagger = tagger

    def find(self, texts: Sequence[str], contexts: Sequence[Turns] | None = None) -> list[list[Span]]:
        """For each text its findings: sorted, inside the text, none over another.

        `contexts` gives for each text the turns before it in its conversation, oldest first; without it every text
        stands alone.
        """
        before: Sequence[Turns] = contexts if contexts is not None else [()] * len(texts)
        tagged = self.tagger.spans(texts, contexts) if self.tagger else [[] for _text in texts]
        named = self._named(texts, before, tagged)
        return [self._one(text, turns, spans, named) for text, turns, spans in zip(texts, before, tagged, strict=True)]

    def _named(self, texts: Sequence[str], before: Sequence[Turns], tagged: Sequence[list[Span]]) -> set[str]:
        """The texts and earlier turns in which somebody is named."""
        if self.tagger is None:
            return set()
        asked = {turn for text, turns in zip(texts, before, strict=True) if _DIGIT.search(text) for turn in turns}
        others = sorted(asked.difference(texts))
        known = [*zip(texts, tagged, strict=True), *zip(others, self.tagger.spans(others), strict=True)]
        return {text for text, spans in known if any(span.entity_type == "PERSON" for span in spans)}

    def _one(self, text: str, turns: Turns, tagged: list[Span], named: set[str]) -> list[Span]:
        if not text:
            return []
        whole_text, text = text, patterns.as_typed(text)
        machine = impostors.machine_ids(text)
        tagged = [span for span in tagged if _holds(text, span, alone=not turns) and not _is_inside(span, machine)]
        found = [*patterns.find(text), *introductions.find(text)]
        found += [
            span
            for span in recognizers.find(text, turns[-1] if turns else "", found)
            if not impostors.is_impostor(text, span.start, span.end, span.entity_type) and not _is_inside(span, machine)
        ]
        if _DIGIT.search(text):
            sure = [span for span in found if span.score >= numbers.NEAR]
            whole = [span for span in tagged if not _is_number(text, span)]
            by_words = numbers.find(text, turns, [*sure, *whole], not named.isdisjoint(turns))
            found += [span for span in by_words if not _overlaps(span, sure)]
            tagged = [span for span in tagged if not (_is_number(text, span) and _overlaps(span, found))]
        return settle(whole_text, [*found, *tagged])


def _holds(text: str, span: Span, *, alone: bool) -> bool:
    """Whether a guess of the tagger can be what it says. Check digits and ranges are `patterns`' to judge."""
    value = text[span.start : span.end]
    if span.entity_type == "LOCATION" and span.score < SURE_PLACE:
        return False
    if span.entity_type in SHAPED or (_is_number(text, span) and _is_sum(text, span)):
        return False
    if span.entity_type == "PERSON":
        is_called = not impostors.is_code(value) and not introductions.is_address_of_respect(value)
        return is_called and not _SENTENCES.search(value)
    if span.entity_type == "ADDRESS":
        return True
    return not (alone and _is_number(text, span) and sum(map(str.isdigit, value)) < SHORT)


def _is_sum(text: str, span: Span) -> bool:
    return impostors.is_impostor(text, span.start, span.end, "PHONE_NUMBER")


def _is_number(text: str, span: Span) -> bool:
    """Digits and signs alone: there the words around and the check digits know better than the tagger."""
    return not any(letter.isalpha() for letter in text[span.start : span.end])


def _is_inside(span: Span, places: Sequence[tuple[int, int]]) -> bool:
    return any(low <= span.start and span.end <= high for low, high in places)


def _overlaps(span: Span, others: Sequence[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)


@cache
def finder(*, names: bool = False) -> Finder:
    """The one of this process: with the studio's own tagger, which loads once, or by shapes and words alone."""
    return Finder(import_module(TAGGER).Tagger.load() if names else None)


def find(text: str) -> list[Span]:
    """The findings of one text that stands alone. For many texts `finder().find` is faster."""
    return finder().find([text])[0]
