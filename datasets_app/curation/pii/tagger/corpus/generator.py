"""The texts the tagger learns from: single texts and chats, ordinary ones and ones with personal data."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from datasets_app.curation.pii.tagger.corpus import noise
from datasets_app.curation.pii.tagger.corpus.companies import Companies
from datasets_app.curation.pii.tagger.corpus.grammar import Grammar, Source
from datasets_app.curation.pii.tagger.corpus.lexicon import Lexicon
from datasets_app.curation.pii.tagger.corpus.lists import read
from datasets_app.curation.pii.tagger.corpus.names import Names
from datasets_app.curation.pii.tagger.corpus.numbers import Numbers
from datasets_app.curation.pii.tagger.corpus.pieces import Labelled, Piece, join
from datasets_app.curation.pii.tagger.corpus.places import Places
from datasets_app.curation.pii.tagger.corpus.slots import slots

FIELDS = ("name", "ssn", "card", "account", "address", "phone", "email", "zip", "licence", "town", "employer")
OTHER_FIELDS = ("amount", "date", "order", "reason", "count", "code", "order", "code")
RULES = (("named", 0.6), ("service", 0.68), ("reply", 0.71), ("things", 0.81), ("world", 0.9), ("writing", 1.0))
"""What a single text is about, with the sum of the shares up to it."""
MORE = ("service", "world", "things", "writing")
"""Texts of these go on with another sentence of one of them, in three cases of ten."""
NAME_FIRST = 0.6
"""Agents mostly begin with the name."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text to label and what was said before it (empty for texts that stand alone), both with their labels."""

    context: Labelled
    text: Labelled


class Generator:
    """Draws examples; the same seed and random source give the same examples.

    Args:
        draws: how many first and last names, towns and streets are drawn of each country.

    Attributes:
        kinds: what each known word is known as, see `Lexicon`.
    """

    def __init__(self, seed: int, draws: int = 1200) -> None:
        names, places, numbers = Names(seed, draws), Places(seed, draws), Numbers(seed)
        lexicon = Lexicon(names.parts(), places.parts())
        companies = Companies(seed, names, places, lexicon)
        self.kinds = lexicon.kinds
        sources: dict[str, Source] = slots(seed, names, places, numbers, companies, lexicon)
        self.grammar = Grammar(read("phrases"), sources)

    def example(self, rng: random.Random) -> Example:
        """One example: four or five in ten ordinary, about four with personal data, two in ten a turn of a chat."""
        chance = rng.random()
        if chance < 0.19:
            return self.chat_turn(rng) if chance < 0.13 else self.answer(rng)
        rule = next(rule for rule, share in RULES if chance < share)
        pieces = self.grammar.say(rule, rng)
        while rule in MORE and rng.random() < 0.3:
            pieces += [Piece(" "), *self.grammar.say(rng.choice(MORE), rng)]
        return Example(Labelled("", ()), join(noise.as_typed(pieces, rng)))

    def answer(self, rng: random.Random) -> Example:
        """A question and its answer, nothing before."""
        field = rng.choice((*FIELDS, *OTHER_FIELDS))
        typed = noise.as_chat if rng.random() < 0.5 else noise.as_typed
        return Example(
            join(self.grammar.say(f"ask.{field}", rng)), join(typed(self.grammar.say(f"answer.{field}", rng), rng))
        )

    def chat_turn(self, rng: random.Random) -> Example:
        """A turn of a customer with the turns before it, the agent's among them in half of the chats."""
        turns = self._chat(rng)
        typed: Callable[[list[Piece], random.Random], list[Piece]] = (
            noise.as_chat if rng.random() < 0.7 else noise.as_typed
        )
        with_agent = rng.random() < 0.45
        at = rng.choice([place for place, (speaker, _) in enumerate(turns) if speaker == "customer"])
        before: list[Piece] = []
        for speaker, pieces in turns[max(0, at - 8) : at]:
            if speaker == "customer" or with_agent:
                before += [*(typed(pieces, rng) if speaker == "customer" else pieces), Piece("\n")]
        return Example(join(before[:-1]), join(typed(turns[at][1], rng)))

    def _chat(self, rng: random.Random) -> list[tuple[str, list[Piece]]]:
        say, turns = self.grammar.say, list[tuple[str, list[Piece]]]()
        if rng.random() < 0.6:
            turns.append(("agent", say("agent.open", rng)))
        turns.append(("customer", say("customer.open", rng)))
        if rng.random() < 0.5:
            turns.append(("customer", say("customer.open", rng)))
        fields = rng.sample(FIELDS[1:5] if rng.random() < 0.6 else FIELDS[1:], rng.randrange(1, 4))
        fields += rng.sample(OTHER_FIELDS, rng.randrange(0, 3))
        rng.shuffle(fields)
        for field in ["name", *fields] if rng.random() < NAME_FIRST else [*fields, "name"]:
            if rng.random() < 0.2:
                turns.append(("agent", say("agent.filler", rng)))
            turns.append(("agent", say(f"ask.{field}", rng)))
            if rng.random() < 0.15:
                turns.append(("customer", say("customer.filler", rng)))
            turns.append(("customer", say(f"answer.{field}", rng)))
        for _ in range(rng.randrange(0, 4)):
            turns.append(("agent", say("agent.filler", rng)))
            turns.append(("customer", say("customer.filler", rng)))
        return turns
