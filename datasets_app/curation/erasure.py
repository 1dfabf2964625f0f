"""What somebody asked to be erased: a name, an address, any phrase, known by a keyed digest so that no recipe repeats it;
and records of a file, by their number in it, however they are joined into rows.

Compares whole words without case and signs: `Jane.Doe@mail.example` is found in `jane doe (mail example)`. Finds, and
says nothing about what becomes of a row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
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


def texts_in(cell: object) -> Iterator[str]:
    """Every text in a cell, however deep."""
    if isinstance(cell, Mapping):
        cell = [*cell, *cell.values()]
    if isinstance(cell, list | tuple):
        for each in cell:
            yield from texts_in(each)
    elif cell is not None:
        yield cell if isinstance(cell, str) else str(cell)


class Erased:
    """The phrases of a recipe, as digests. A text costs a digest for each of its words and each length of phrase.

    `records`: pairs of a file and the number of a record in it.
    """

    def __init__(self, entries: Iterable[Mapping[str, Any]], keys: Keys) -> None:
        self.keys = keys
        self.by_words: dict[int, set[str]] = defaultdict(set)
        self.records: set[tuple[str, int]] = set()
        for entry in entries:
            if "record" in entry:
                self.records.add((str(entry["file"]), int(entry["record"])))
                continue
            self.by_words[int(entry["words"])].add(str(entry["digest"]))

    def is_in(self, text: str) -> bool:
        """Whether one of the phrases stands in the text."""
        words = plain(text).split() if self.by_words else []
        return any(
            self.keys.of_value(KIND, " ".join(words[at : at + count])) in digests
            for count, digests in self.by_words.items()
            for at in range(len(words) - count + 1)
        )


def _is_entry(each: object) -> bool:
    if not isinstance(each, dict):
        return False
    if "record" in each:
        return isinstance(each.get("file"), str) and isinstance(each["record"], int)
    words = each.get("words")
    return isinstance(each.get("digest"), str) and isinstance(words, int) and 0 < words <= MOST_WORDS


def fault(entries: object) -> str | None:
    """What is wrong with the option `erased`, as a sentence, or None."""
    if isinstance(entries, list) and all(map(_is_entry, entries)):
        return None
    return (
        f"What is erased is a list of objects with a digest and 1 to {MOST_WORDS} words, or with a file and a record."
    )
