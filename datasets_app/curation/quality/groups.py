"""Which groups of people texts speak of, by the list of words in `people.txt`. English; it sees words, not what is meant.

The list leaves out words that mean something else as often, so counts are rather low than high.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

MOST_LABELS = 200
Group = tuple[str, str]


def _listed() -> Iterator[tuple[str, Group]]:
    group = ("", "")
    for line in (Path(__file__).parent / "people.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind, _, name = line[1:].partition("] ")
            group = (kind, name)
        elif not line.startswith("#"):
            yield from ((word, group) for word in line.split())


@lru_cache(maxsize=1)
def groups_by_word() -> dict[str, tuple[Group, ...]]:
    """(kind, group) of each word of the list; a grandmother is a woman and an older person."""
    found: defaultdict[str, list[Group]] = defaultdict(list)
    for word, group in _listed():
        found[word].append(group)
    return {word: tuple(groups) for word, groups in found.items()}


class People:
    """Counts rows that speak of each group, over all and by label."""

    def __init__(self) -> None:
        self.speaking = 0
        self.groups: Counter[Group] = Counter()
        self.labels: Counter[str] = Counter()
        self.by_label: Counter[tuple[Group, str]] = Counter()

    def add(self, words: Iterable[str], label: str | None) -> None:
        """A row by its words, in lower case. Labels beyond the first MOST_LABELS count as none."""
        known = groups_by_word()
        found = {group for word in known.keys() & set(words) for group in known[word]}
        self.speaking += bool(found)
        self.groups.update(found)
        if label is not None and (label in self.labels or len(self.labels) < MOST_LABELS):
            self.labels[label] += 1
            self.by_label.update((group, label) for group in found)

    def as_json(self) -> dict[str, Any]:
        """`{rows, kinds: {kind: {group: {rows, labels: {label: rows}}}}}`; `rows` speak of any group at all."""
        kinds: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        for kind, name in dict.fromkeys(group for _word, group in _listed()):
            if rows := self.groups[kind, name]:
                labels = {label: self.by_label[(kind, name), label] for label in sorted(self.labels)}
                kinds[kind][name] = {"rows": rows, "labels": {label: count for label, count in labels.items() if count}}
        return {"rows": self.speaking, "kinds": dict(kinds)}
