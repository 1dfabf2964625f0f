"""Which groups of people texts speak of, by the lists of words in `people/`, one a language. It sees words, not what is
meant. Each row is read by the list of the language that it is in; one in another language by the English list.

The lists leave out words that mean something else as often, so counts are rather low than high.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from datasets_app.curation.quality.tongues import USUAL, tongue_of

MOST_LABELS = 200
Group = tuple[str, str]


def _listed(language: str) -> Iterator[tuple[str, Group]]:
    group = ("", "")
    for line in (Path(__file__).parent / "people" / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind, _, name = line[1:].partition("] ")
            group = (kind, name)
        elif not line.startswith("#"):
            yield from ((word, group) for word in line.split())


@cache
def groups_by_word(language: str = USUAL) -> dict[str, tuple[Group, ...]]:
    """(kind, group) of each word of a language's list; a grandmother is a woman and an older person."""
    found: defaultdict[str, list[Group]] = defaultdict(list)
    for word, group in _listed(language):
        if group not in found[word]:
            found[word].append(group)
    return {word: tuple(groups) for word, groups in found.items()}


class People:
    """Counts rows that speak of each group, over all and by label, and rows by the list that they were read by."""

    def __init__(self) -> None:
        self.speaking = 0
        self.groups: Counter[Group] = Counter()
        self.labels: Counter[str] = Counter()
        self.languages: Counter[str] = Counter()
        self.by_label: Counter[tuple[Group, str]] = Counter()

    def add(self, words: Iterable[str], label: str | None) -> None:
        """A row by its words, in lower case. Labels beyond the first MOST_LABELS count as none."""
        said = set(words)
        language = tongue_of(said)
        known = groups_by_word(language)
        found = {group for word in known.keys() & said for group in known[word]}
        self.speaking += bool(found)
        self.languages[language] += 1
        self.groups.update(found)
        if label is not None and (label in self.labels or len(self.labels) < MOST_LABELS):
            self.labels[label] += 1
            self.by_label.update((group, label) for group in found)

    def as_json(self) -> dict[str, Any]:
        """`{rows, languages: {code: rows}, kinds: {kind: {group: {rows, labels: {label: rows}}}}}`; `rows` speak of any
        group at all."""
        kinds: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        for kind, name in dict.fromkeys(group for _word, group in _listed(USUAL)):
            if rows := self.groups[kind, name]:
                labels = {label: self.by_label[(kind, name), label] for label in sorted(self.labels)}
                kinds[kind][name] = {"rows": rows, "labels": {label: count for label, count in labels.items() if count}}
        return {"rows": self.speaking, "languages": dict(self.languages.most_common()), "kinds": dict(kinds)}
