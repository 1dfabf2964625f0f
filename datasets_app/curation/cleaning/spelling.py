"""Spelling of English: only slips that have one clear reading. Knows words, no grammar and no rows.

symspellpy proposes the words within two edits; a proposal is taken where it leads the next one clearly, counting how
often each word is written and how likely the slip is (swapped or doubled letters and neighbouring keys are common, a
wrong first letter is rare: Damerau 1964, Kernighan, Church and Gale 1990).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from datasets_app.curation.cleaning.apostrophes import BARE
from datasets_app.curation.cleaning.edits import Edit, apply, is_free, protected
from datasets_app.curation.cleaning.slips import CERTAIN, likelihood
from datasets_app.curation.cleaning.words import NO_MERE_NAME, WORD, frequencies, is_english_word, looks_english, names

if TYPE_CHECKING:
    from symspellpy import SymSpell

COMMON = 400_000  # words rarer than this (of 10^12) are words, but nothing is corrected to them
LEAST_LETTERS = 4
TWO_EDITS_FROM = 7
CLEAR, CLEAR_AT_TWO, CLEAR_WHEN_SHORT = math.log(5), math.log(30), math.log(20)
SHORT = 5
PART, SHORT_PART = 5_000_000, 50_000_000  # how common the parts of a compound are
OFTEN = 4  # a word that the data itself holds this often is meant
_PREFIXES = (
    "non",
    "un",
    "re",
    "pre",
    "anti",
    "multi",
    "co",
    "over",
    "under",
    "sub",
    "super",
    "inter",
    "mis",
    "auto",
    "micro",
    "e",
)
_SUFFIXES = ("s", "es", "like", "wise", "less", "ness", "able", "ish", "hood", "ship", "proof", "free")
_GLUED = ("is", "ok", "my", "it", "to", "the", "and", "for", "you", "in", "on", "of")
_LONG_DRAWN = re.compile(r"(.)\1\1")
_NAMING = (
    "name is",
    "names is",
    "name's",
    "i am",
    "i'm",
    "im",
    "this is",
    "mr",
    "mrs",
    "ms",
    "dr",
    "dear",
    "called",
    "named",
    "regards",
    "name",
)


@lru_cache(maxsize=1)
def _proposer() -> SymSpell:
    """Built once a process (about two seconds): only common words can be proposed."""
    from symspellpy import SymSpell

    found = SymSpell(max_dictionary_edit_distance=2, prefix_length=7)
    for word, count in frequencies().items():
        if count >= COMMON and len(word) >= LEAST_LETTERS - 1 and (count >= NO_MERE_NAME or word not in names()):
            found.create_dictionary_entry(word, count)
    return found


class Speller:
    """Corrects words of English texts.

    `dictionary`: words of the workspace that are right as they are. `counts`: how often the data itself holds a word
    in lower case; a word it holds often is left alone, unless its correction is far more common there.
    """

    def __init__(self, *, dictionary: Iterable[str] = (), counts: Mapping[str, int] | None = None) -> None:
        self.own = frozenset(word.lower() for word in dictionary)
        self.counts = counts or {}
        self.known: dict[str, str | None] = {}

    def correct(self, text: str) -> tuple[str, int]:
        """The text with its slips mended, and how many. Other languages, code, masks, URLs and numbers stay."""
        edits = list(self._edits(text))
        if not edits:
            return text, 0
        stretches = protected(text)
        free = [edit for edit in edits if is_free(edit, stretches)]
        mended = apply(text, free)
        if not free or 3 * len(free) > 2 * len(text.split()) + 1 or not looks_english(mended):
            return text, 0
        return mended, len(free)

    def _edits(self, text: str) -> Iterator[Edit]:
        for match in WORD.finditer(text):
            word = match[0]
            lowered = word.lower()
            if len(word) < 3 or not word.isascii() or not word[1:].islower() or lowered in self.own:
                continue
            if certain := CERTAIN.get(lowered):
                new = certain if word == lowered else certain[0].upper() + certain[1:]
                yield Edit(match.start(), match.end(), new)
            elif word == lowered and (clear := self.suggestion(word)) and not _is_named(text, match):
                yield Edit(match.start(), match.end(), clear)

    def suggestion(self, word: str) -> str | None:
        """What a word in lower case should be, or None where it is right, unknown or unclear."""
        if word not in self.known:
            self.known[word] = self._suggestion(word)
        return self.known[word]

    def _suggestion(self, word: str) -> str | None:
        if len(word) < LEAST_LETTERS or "'" in word or word in self.own or _is_meant(word):
            return None
        ranked = sorted(self._ranked(word), reverse=True)
        if not ranked:
            return None
        best, new, distance = ranked[0]
        lead = best - ranked[1][0] if len(ranked) > 1 else math.inf
        if lead < (CLEAR_AT_TWO if distance == 2 else CLEAR_WHEN_SHORT if len(word) <= SHORT else CLEAR) or (
            distance == 2 and len(word) < TWO_EDITS_FROM
        ):
            return None
        seen = self.counts.get(word, 0)
        return None if seen >= OFTEN and self.counts.get(new, 0) < 20 * seen else new

    def _ranked(self, word: str) -> Iterator[tuple[float, str, int]]:
        from symspellpy import Verbosity

        for found in _proposer().lookup(word, Verbosity.ALL, 2):
            if found.distance and found.term not in self.own:
                use = found.count + 1_000_000 * self.counts.get(found.term, 0)
                yield math.log(use) + likelihood(word, found.term), found.term, found.distance


def _is_meant(word: str) -> bool:
    """Whether a word is right, a name, or nothing that a spelling could be right for (`hmmmm`, `openin`, `isdone`)."""
    known = frequencies()
    return (
        is_english_word(word)
        or word in BARE
        or word in names()
        or _LONG_DRAWN.search(word) is not None
        or (word.endswith("in") and word + "g" in known)
        or any(word.startswith(glued) and known.get(word[len(glued) :], 0) > COMMON for glued in _GLUED)
        or any(word.endswith(glued) and known.get(word[: -len(glued)], 0) > COMMON for glued in _GLUED)
        or _is_made_of_words(word)
    )


def _is_made_of_words(word: str) -> bool:
    """`smartphone`, `nonrefundable`, `chatbots`: words that lists lack and people write."""
    known = frequencies()
    for ending in _SUFFIXES:
        if word.endswith(ending) and known.get(word.removesuffix(ending), 0) > COMMON and len(word) - len(ending) > 2:
            return True
    for start in _PREFIXES:
        if word.startswith(start) and known.get(word.removeprefix(start), 0) > COMMON and len(word) - len(start) > 3:
            return True
    return len(word) > 6 and any(
        min(known.get(word[:at], 0), known.get(word[at:], 0)) > (PART if 3 < at < len(word) - 3 else SHORT_PART)
        for at in range(3, len(word) - 2)
    )


def _is_named(text: str, match: re.Match[str]) -> bool:
    """Whether a word is part of a hyphened one, or stands up to three words behind what introduces a person.

    Typed chat writes names in lower case.
    """
    if "-" in (text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]):
        return True
    before = text[max(0, match.start() - 40) : match.start()].lower().replace(",", " ").replace(".", " ").split()
    return any(f" {naming} " in f" {' '.join(before[-4:])} " for naming in _NAMING)
