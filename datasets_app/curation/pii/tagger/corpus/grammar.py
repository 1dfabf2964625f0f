"""Phrases: sentences with slots, kept in text files, expanded into labelled pieces.

`[heading]` opens a rule; every line below it is one way to say it. `<a|b|>` takes one of the alternatives,
`{slot}` a drawn value or another rule.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

from datasets_app.curation.pii.tagger.corpus.pieces import Piece

Source = Callable[[random.Random], list[Piece]]
_PART = re.compile(r"<([^<>]*)>|\{([\w.]+)\}")


class Grammar:
    """Expands rules; a slot is a source of labelled pieces or another rule.

    Raises:
        KeyError: a phrase names a slot that is neither.
    """

    def __init__(self, rules: Mapping[str, list[str]], sources: Mapping[str, Source]) -> None:
        self.rules, self._sources = rules, sources
        for heading, phrases in rules.items():
            for phrase in phrases:
                for _, slot in _PART.findall(phrase):
                    if slot and slot not in sources and slot not in rules:
                        raise KeyError(f"[{heading}] names the slot {slot!r}, which does not exist: {phrase}")

    def say(self, rule: str, rng: random.Random) -> list[Piece]:
        """One way to say the rule."""
        return self.fill(rng.choice(self.rules[rule]), rng)

    def fill(self, phrase: str, rng: random.Random) -> list[Piece]:
        """The phrase with its alternatives chosen and its slots filled."""
        while (
            "<" in phrase
            and (chosen := re.sub(r"<([^<>]*)>", lambda found: rng.choice(found[1].split("|")), phrase)) != phrase
        ):
            phrase = chosen
        pieces: list[Piece] = []
        at = 0
        for found in _PART.finditer(phrase):
            pieces.append(Piece(phrase[at : found.start()]))
            slot = found[2]
            pieces += self._sources[slot](rng) if slot in self._sources else self.say(slot, rng)
            at = found.end()
        return [*pieces, Piece(phrase[at:])]
