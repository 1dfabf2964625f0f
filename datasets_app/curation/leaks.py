"""The leak check, independent of the duplicate step: other shingles, another algorithm, no hashing tricks.

Texts are sets of words and word pairs. An exact prefix filter finds every pair whose Jaccard similarity reaches the
threshold: two such sets must share one of their `n - ceil(t·n) + 1` rarest members (Chaudhuri et al. 2006).
Memory: all texts are held as sets, about 4 KB for a text of 30 words; that is fine up to some 100,000 rows.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

_WORDS = re.compile(r"\w+", re.UNICODE)


def members(text: str) -> frozenset[str]:
    """The words of a text, and each word with its follower. A text without words is a set of the text itself."""
    words = _WORDS.findall(text.lower())
    pairs = (f"{left} {right}" for left, right in pairwise(words))
    return frozenset([*words, *pairs]) or frozenset([text.strip()])


class Copies:
    """Finds near copies among texts, each named by its place in the sequence."""

    def __init__(self, texts: Sequence[str], *, threshold: float) -> None:
        self._threshold = threshold
        self._sets = [_numbered(values) for values in _by_rarity([members(text) for text in texts])]
        self._index: dict[int, list[int]] = defaultdict(list)
        for place, values in enumerate(self._sets):
            for member in self._prefix(values):
                self._index[member].append(place)

    def _prefix(self, values: dict[int, None]) -> list[int]:
        """The rarest members, as many as a partner must share one of."""
        least = math.ceil(self._threshold * len(values) - 1e-9)
        return list(values)[: len(values) - least + 1]

    def of(self, place: int, among: Callable[[int], bool]) -> Iterator[int]:
        """The copies of one text among those places for which `among` says yes, itself left out."""
        values = self._sets[place]
        seen = {place}
        for member in self._prefix(values):
            for other in self._index[member]:
                if other not in seen:
                    seen.add(other)
                    if among(other) and self._alike(values, self._sets[other]):
                        yield other

    def _alike(self, left: dict[int, None], right: dict[int, None]) -> bool:
        if min(len(left), len(right)) < self._threshold * max(len(left), len(right)) - 1e-9:
            return False
        shared = len(left.keys() & right.keys())
        return shared >= self._threshold * (len(left) + len(right) - shared) - 1e-9


def _by_rarity(sets: list[frozenset[str]]) -> Iterator[list[int]]:
    """Members as numbers, the rarest of all texts first."""
    frequency: Counter[str] = Counter()
    for values in sets:
        frequency.update(values)
    ordered = sorted(frequency.items(), key=lambda found: (found[1], found[0]))
    rank = {member: place for place, (member, _count) in enumerate(ordered)}
    for values in sets:
        yield sorted(rank[member] for member in values)


def _numbered(values: list[int]) -> dict[int, None]:
    """A set that keeps its order."""
    return dict.fromkeys(values)


def leaks(train: Sequence[str], held_out: Sequence[str], *, threshold: float) -> int:
    """How many held-out texts have an exact or near copy in train."""
    copies = Copies([*train, *held_out], threshold=threshold)

    def is_trained(place: int) -> bool:
        return place < len(train)

    places = range(len(train), len(train) + len(held_out))
    return sum(next(copies.of(place, is_trained), None) is not None for place in places)
