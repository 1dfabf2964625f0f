"""A workspace's own lists: texts that are never personal, and texts that always are. Knows words, no recogniser."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from datasets_app.curation.pii.keys import plain
from datasets_app.curation.pii.patterns import Span

DENIED = "DENIED"
Values = tuple[tuple[str, str], ...]  # texts, each with the entity type that it is
_Entry = tuple[list[str], str, bool]
_WORD = re.compile(r"\w+|[^\w\s]")


def _words(text: str) -> list[str]:
    return [match.group().casefold() for match in _WORD.finditer(text)]


class Phrases:
    """Finds whole words and phrases whatever their case; as fast with thousands of entries as with one.

    A name of one word ("Will", "Rose") counts where it is written as a name: with a capital, unless the entry has none.
    """

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        """`entries`: pairs of a text and the entity type that it is."""
        self._by_first: dict[str, list[_Entry]] = defaultdict(list)
        for text, entity_type in entries:
            if words := _words(text):
                as_name = entity_type == "PERSON" and len(words) == 1 and text[:1].isupper()
                self._by_first[words[0]].append((words, entity_type, as_name))
        for known in self._by_first.values():
            known.sort(key=lambda entry: -len(entry[0]))

    def find(self, text: str, source: str) -> Iterator[Span]:
        """Every place where an entry stands, the longest entry at each."""
        if not self._by_first:
            return
        places = [match.span() for match in _WORD.finditer(text)]
        words = _words(text)
        for at, word in enumerate(words):
            for known, entity_type, as_name in self._by_first.get(word, ()):
                if as_name and text[places[at][0]].islower():
                    continue
                if words[at : at + len(known)] == known:
                    yield Span(places[at][0], places[at + len(known) - 1][1], entity_type, 1.0, source)
                    break


def denied(texts: Iterable[str]) -> Phrases:
    """The texts that are always personal."""
    return Phrases((text, DENIED) for text in texts)


class Allowed:
    """The texts that are never personal."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = frozenset(plain(text) for text in texts)

    def __contains__(self, value: str) -> bool:
        return bool(self._texts) and plain(value) in self._texts
