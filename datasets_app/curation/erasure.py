"""What somebody asked to be erased: a name, an address, any phrase, known by a keyed digest so that no recipe repeats it.

Compares whole words without case and signs: `Jane.Doe@mail.example` is found in `jane doe (mail example)`. Finds, and
says nothing about what becomes of a row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datasets_app.curation.dedupe import plain
from datasets_app.curation.pii.keys import Keys

KIND = "ERASED"
MOST_WORDS = 24


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as it is looked for: its plain words, one space between."""

    text: str

    @classmethod
    def of(cls, given: str) -> Phrase:
        return cls(plain(given))

    @property
    def words(self) -> int:
        return len(self.text.split())

    def is_in(self, text: str) -> bool:
        """Whether its words stand in the text, in their order and whole."""
        return f" {self.text} " in f" {plain(text)} "

    def entry(self, keys: Keys) -> dict[str, Any]:
        """What a recipe's step `edits` keeps of it under `erased`: a digest and the number of words."""
        return {"digest": keys.of_value(KIND, self.text), "words": self.words}


class Erased:
    """The phrases of a recipe, as digests. A text costs a digest for each of its words and each length of phrase."""

    def __init__(self, entries: Iterable[Mapping[str, Any]], keys: Keys) -> None:
        self.keys = keys
        self.by_words: dict[int, set[str]] = defaultdict(set)
        for entry in entries:
            self.by_words[int(entry["words"])].add(str(entry["digest"]))

    def __bool__(self) -> bool:
        return bool(self.by_words)

    def is_in(self, text: str) -> bool:
        """Whether one of the phrases stands in the text."""
        words = plain(text).split()
        return any(
            self.keys.of_value(KIND, " ".join(words[at : at + count])) in digests
            for count, digests in self.by_words.items()
            for at in range(len(words) - count + 1)
        )


def fault(entries: object) -> str | None:
    """What is wrong with the option `erased`, as a sentence, or None."""
    fits = isinstance(entries, list) and all(
        isinstance(each, dict)
        and isinstance(each.get("digest"), str)
        and isinstance(each.get("words"), int)
        and 0 < each["words"] <= MOST_WORDS
        for each in entries
    )
    return None if fits else f"What is erased is a list of objects with a digest and 1 to {MOST_WORDS} words."
