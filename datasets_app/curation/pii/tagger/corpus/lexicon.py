"""Ordinary words: what stands around names, and what must not be taken for one.

English words and word pairs come from symspellpy's frequency lists (MIT). Words that are names of people or places are
left out, except those that everybody uses as plain words (`lists/plain_words.txt`), so that both uses are seen.
"""

from __future__ import annotations

import itertools
import random
from bisect import bisect
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib.resources import files

from datasets_app.curation.pii.tagger.corpus.lists import LISTS

ORDER = 3
END = "\n"
FUNCTION_RANK = 400
"""Words up to this rank are taken as plain however they are spelt elsewhere: `an`, `my` and `so` are surnames too."""

NAMES_ALONE = frozenset({"john", "jan"})
"""Of these the ones that are no other word."""


class Weighted:
    """Draws from choices by weight in O(log n)."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.choices = list(weights)
        self.sums = list(itertools.accumulate(weights.values()))

    def draw(self, rng: random.Random) -> str:
        return self.choices[bisect(self.sums, rng.random() * self.sums[-1])]


class Spelling:
    """A character Markov chain of order three: invents words that look like those it has read."""

    def __init__(self, words: Iterable[str]) -> None:
        after: defaultdict[str, list[str]] = defaultdict(list)
        for word in sorted(words):  # of a set, each process would have another order
            padded = END * ORDER + word.lower() + END
            for place in range(ORDER, len(padded)):
                after[padded[place - ORDER : place]].append(padded[place])
        self._after = dict(after)

    def invent(self, rng: random.Random, shortest: int = 3, longest: int = 14) -> str:
        """A lower-case word of `shortest` to `longest` characters."""
        while True:
            word = END * ORDER
            while not word.endswith(END) or len(word) == ORDER:
                word += rng.choice(self._after[word[-ORDER:]])
            if shortest <= len(word.strip(END)) <= longest:
                return word.strip(END)


def _frequencies(name: str) -> list[tuple[str, int]]:
    read = (files("symspellpy") / name).read_text(encoding="utf-8-sig").splitlines()
    split = (line.rsplit(" ", 1) for line in read)
    return [(word, int(count)) for word, count in split]


class Lexicon:
    """Draws English words and chains of words.

    Attributes:
        kinds: what each known word is known as: `english`, `name`, `place`, `name or place`, `plain`.

    Args:
        people, places: lower-case words that are parts of their names; kept out of ordinary text unless known to be
            plain words.
    """

    def __init__(self, people: Collection[str], places: Collection[str]) -> None:
        counts = _frequencies("frequency_dictionary_en_82_765.txt")
        plain = set(LISTS["plain word"])
        top = {word for word, _ in counts[:FUNCTION_RANK]} - NAMES_ALONE
        barred = (set(people) | set(places)) - plain - top
        self.kinds = dict.fromkeys((word for word, _ in counts), "english") | dict.fromkeys(barred, "name")
        self.kinds |= dict.fromkeys(barred.intersection(places), "place")
        self.kinds |= dict.fromkeys(barred.intersection(places, people), "name or place")
        self.kinds |= dict.fromkeys(plain, "plain")
        self.kinds = dict.fromkeys(LISTS["slang"], "english") | self.kinds
        kept = [(word, count) for word, count in counts if word not in barred and len(word) > 1]
        self._common = Weighted({word: count**0.5 for word, count in kept})
        self.words = [word for word, _ in kept]
        self._invented = Spelling(self.words[:40000])
        endings = ("ing", "ed", "ly", "s", "tion", "er", "able")
        self._ending: dict[str, Sequence[str]] = {
            end: [word for word in self.words[:30000] if word.endswith(end) and len(word) > len(end) + 2]
            for end in endings
        }
        followers: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for pair, count in _frequencies("frequency_bigramdictionary_en_243_342.txt"):
            first, _, second = pair.partition(" ")
            if first not in barred and second not in barred:
                followers[first][second] = count**0.6
        self._followers = {word: Weighted(after) for word, after in followers.items()}

    def word(self, rng: random.Random) -> str:
        """A word as often as it is used, flattened by a square root."""
        return self._common.draw(rng)

    def rare(self, rng: random.Random) -> str:
        """Any word of the list, each as likely as the next; one in ten is invented."""
        return self._invented.invent(rng, 4, 12) if rng.random() < 0.1 else rng.choice(self.words)

    def coined(self, rng: random.Random) -> str:
        """A word that nobody has used yet, as products and works are called."""
        return self._invented.invent(rng, 4, 11)

    def ending(self, rng: random.Random, end: str) -> str:
        """A word with the ending, a crude part of speech: `ing`, `ed`, `ly`, `s`, `tion`, `er`, `able`."""
        return rng.choice(self._ending[end])

    def chain(self, rng: random.Random, length: int) -> str:
        """`length` words where each likes to follow the one before it."""
        chosen = [self.word(rng)]
        while len(chosen) < length:
            after = self._followers.get(chosen[-1])
            if after is None or rng.random() < 0.12:
                chosen.append(self.rare(rng) if after and rng.random() < 0.5 else self.word(rng))
            else:
                chosen.append(after.draw(rng))
        return " ".join(chosen)
