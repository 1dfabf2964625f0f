"""Rules and what they hit. Each says how much text it must see together before it can be sure: `hold`, in characters.

Words and patterns are run by RE2, in time linear in the text. A rule looks at a window of a text; what touches the end
of one that still grows is not decided yet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from datasets_app.curation.filters.lexicon import found_in
from datasets_app.curation.filters.patterns import compiled, fault
from serving_app.guardrails.folding import fold
from serving_app.guardrails.lookalikes import latin, plain
from serving_app.guardrails.personal import Personal

LONGEST_HELD = 256  # characters: what a pattern without an end is given to match in
LONGEST_PHRASE = 40  # of the lexicon, letters apart among them
LONGEST_SHAPE = 100
MOST_SPACES = 8  # between two words of a phrase
_TOKEN = re.compile(r"\S+")
_APART = re.compile(r"(?:(?<!\S)\S\s)*(?<!\S)\S$")


@dataclass(frozen=True, slots=True)
class Hit:
    """Characters `start` to `end` of a window break a rule. `kind`: personal_data, word, pattern or lexicon."""

    start: int
    end: int
    kind: str
    detail: str


class Window:
    """A stretch of a folded text. `begins`: the text begins here; `final`: it ends here, nothing will follow; `fresh`: from
    where on nobody has looked at it."""

    def __init__(self, text: str, *, begins: bool = True, final: bool = True, fresh: int = 0) -> None:
        self.text, self.final, self.fresh = text, final, fresh
        self._begins = begins

    @cached_property
    def data(self) -> bytes:
        return self.text.encode("utf-8", "surrogatepass")

    @cached_property
    def latin(self) -> str:
        """The text with letters that only look Latin as Latin ones."""
        return latin(self.text)

    @cached_property
    def readings(self) -> list[Window]:
        """This window, and the same one as it is read where letters, digits and signs pass for Latin letters."""
        others = dict.fromkeys((self.latin, plain(self.latin)))
        others.pop(self.text, None)
        return [self, *(Window(each, begins=self._begins, final=self.final, fresh=self.fresh) for each in others)]

    @property
    def lead(self) -> int:
        """Bytes that are only looked back at, so that no window's edge passes for the text's beginning."""
        return 0 if self._begins or not self.text else len(self.text[0].encode("utf-8", "surrogatepass"))

    def characters(self, place: int) -> int:
        """Bytes as characters."""
        return len(self.data[:place].decode("utf-8", "surrogatepass"))


class Rule(Protocol):
    """What finds the first hit in a window, or None."""

    hold: int

    def first(self, window: Window) -> Hit | None: ...


class Words:
    """Whole words and phrases, whatever their case and the spaces between, also in letters that look alike."""

    def __init__(self, words: Sequence[str]) -> None:
        words = [fold(word).text for word in words]
        between = rf"\s{{1,{MOST_SPACES}}}"
        escaped = [between.join(map(_quoted, word.split())) for word in sorted(words, key=len, reverse=True)]
        self._search = compiled(rf"(?:^|[^\pL\pN_])({'|'.join(escaped)})(?:$|[^\pL\pN_])")
        self.hold = max(len("".join(parts)) + MOST_SPACES * (len(parts) - 1) for parts in map(str.split, words)) + 2

    def first(self, window: Window) -> Hit | None:
        hits = [hit for reading in window.readings if (hit := self._hit(reading))]
        return min(hits, key=lambda hit: hit.start, default=None)

    def _hit(self, window: Window) -> Hit | None:
        match = self._search.search(window.data, window.lead)
        if match is None or (not window.final and match.span(1)[1] == len(window.data)):
            return None
        start, end = (window.characters(place) for place in match.span(1))
        return Hit(start, end, "word", " ".join(window.text[start:end].split()).lower())


class Patterns:
    """Patterns that people wrote."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._searches = [(pattern, compiled(fold(pattern).text), longest_match(pattern)) for pattern in patterns]
        self.hold = max(longest for _, _, longest in self._searches) + 1

    def first(self, window: Window) -> Hit | None:
        hits = [hit for search in self._searches if (hit := self._hit(window, *search))]
        return min(hits, key=lambda hit: hit.start, default=None)

    @staticmethod
    def _hit(window: Window, pattern: str, search: Any, longest: int) -> Hit | None:
        match = search.search(window.data, window.lead)
        if match is None or match.start() == match.end():
            return None
        start, end = window.characters(match.start()), window.characters(match.end())
        at_edge = not window.final and end == len(window.text)  # `\b` and `$` depend on what comes next
        may_grow = at_edge and (end - start < longest or longest < LONGEST_HELD)
        return None if may_grow else Hit(start, end, "pattern", pattern)


class Lexicon:
    """The word list of `/v1/moderations`, in some of its categories."""

    hold = LONGEST_PHRASE

    def __init__(self, categories: Sequence[str]) -> None:
        self._categories = frozenset(categories)

    def first(self, window: Window) -> Hit | None:
        text = window.latin
        begin = _last_space(text, max(0, window.fresh - self.hold))
        stop = len(text) if window.final else _last_word_end(text)
        hit = self._first(text[begin:stop])
        return None if hit is None else replace(hit, start=hit.start + begin, end=hit.end + begin)

    def _first(self, text: str) -> Hit | None:
        if not found_in(text, self._categories):
            return None
        end = self._shortest([match.end() for match in _TOKEN.finditer(text)], text)
        starts = [match.start() for match in _TOKEN.finditer(text, 0, end)]
        start = next((at for at in reversed(starts) if found_in(text[at:end], self._categories)), 0)
        return Hit(start, end, "lexicon", found_in(text[start:end], self._categories)[0][1])

    def _shortest(self, ends: Sequence[int], text: str) -> int:
        """The end of the shortest beginning of `text` that has a hit: a longer one has it too."""
        low, high = 0, len(ends) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if found_in(text[: ends[middle]], self._categories) else (middle + 1, high)
        return ends[low]


class PersonalData:
    """Personal data by its shape."""

    hold = LONGEST_SHAPE

    def __init__(self, personal: Personal) -> None:
        self._personal = personal

    def first(self, window: Window) -> Hit | None:
        for span in self._personal.shapes(window.text):
            if window.final or span.end < len(window.text.rstrip()):
                return Hit(span.start, span.end, "personal_data", span.entity_type)
        return None


def _last_space(text: str, before: int) -> int:
    return next((at for at in range(before - 1, -1, -1) if text[at].isspace()), 0)


def _last_word_end(text: str) -> int:
    """Where the last word ends that cannot go on; letters that stand apart may be one word."""
    end = _last_space(text, len(text))
    apart = _APART.search(text, 0, end)
    return apart.start() if apart else end


def _quoted(word: str) -> str:
    return "".join(letter if letter.isalnum() or letter == "_" else f"\\x{{{ord(letter):x}}}" for letter in word)


def longest_match(pattern: str) -> int:
    """The most characters that a pattern can match, at most LONGEST_HELD; that too where it is not known."""
    try:
        width: int = re._parser.parse(pattern).getwidth()[1]  # type: ignore[attr-defined]
    except (re.error, RecursionError, OverflowError):
        return LONGEST_HELD  # RE2 takes what Python's does not
    return min(width, LONGEST_HELD)


def pattern_fault(pattern: str) -> str | None:
    """What is wrong with a pattern, as a sentence, or None."""
    wrong = fault([pattern])
    if wrong is None and compiled(pattern).search("") is not None:
        return f"The pattern “{pattern[:60]}” matches where nothing stands, so it would stop everything."
    return wrong
