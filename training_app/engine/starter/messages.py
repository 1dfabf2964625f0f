"""A customer's message and the topic it is about: things times problems, in many wordings.

Knows nothing of how agents answer, and nothing of any data set outside this folder.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from training_app.engine.starter.grammar import Grammar, load_bank, sentence

_ASKING = ("how ", "what ", "when ", "where ", "why ", "who ", "can ", "is ", "do ", "does ", "may ", "which ", "are ")
PROBLEM_BANKS = ("problems_things", "problems_money", "problems_access")


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing with one problem: `topic` is its snake_case name."""

    topic: str
    family: str
    things: tuple[str, ...]
    says: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What a customer wrote; `thing` is the word used for the thing, `gist` the bare problem."""

    text: str
    thing: str
    gist: str
    intent: Intent


@cache
def frames() -> dict[str, list[str]]:
    """The gaps of a message and their fillings."""
    return {name: value for name, value in load_bank("frames").items() if isinstance(value, list)}


@cache
def intents() -> tuple[Intent, ...]:
    """Every sensible pair of a thing and a problem, a few thousand, in a stable order."""
    things = load_bank("objects")
    return tuple(
        Intent(_topic(name, problem["label"]), problem["family"], tuple(ways.split("|")), tuple(problem["say"]))
        for bank in PROBLEM_BANKS
        for problem in load_bank(bank)["problem"]
        for kind in problem["kinds"]
        for name, ways in things[kind].items()
    )


def _topic(thing: str, labels: str) -> str:
    """One fixed name for a pair; its shape varies between pairs so that no single shape is learnt by heart."""
    names = labels.split("|")
    mark = zlib.crc32(f"{thing}/{labels}".encode())
    problem = names[mark % len(names)]
    if problem.endswith(("_", "how_to")) or mark % 5 == 0:
        return f"{problem}_{thing}"
    return f"{thing}_{problem}"


def write_message(grammar: Grammar, intent: Intent) -> Message:
    """One message about an intent: the problem, now and then with a greeting, a detail and a plea."""
    thing = grammar.rng.choice(intent.things)
    gist = grammar.expand(grammar.choose(intent.says), {"o": thing})
    parts = [_as_sentence(gist)]
    if grammar.chance(0.35):
        parts.insert(grammar.rng.randint(0, 1), _as_sentence(grammar.expand(grammar.choose(grammar.banks["detail"]))))
    if grammar.chance(0.25):
        parts.append(_as_sentence(grammar.expand(grammar.choose(grammar.banks["ask"]))))
    text = " ".join(parts)
    if grammar.chance(0.2):
        text = f"{sentence(grammar.choose(grammar.banks['opening']), end='')}, {text[0].lower() + text[1:]}"
    return Message(as_typed(grammar.rng, text), thing, gist, intent)


def _as_sentence(text: str) -> str:
    return sentence(text, end="?" if text.startswith(_ASKING) else ".")


def as_typed(rng: random.Random, text: str) -> str:
    """The text as people type it: mostly clean, sometimes all lower case, unpunctuated or with a slip."""
    luck = rng.random()
    if luck < 0.12:
        text = text.lower()
    if luck < 0.08 or 0.9 < luck < 0.95:
        text = text.rstrip(".?!")
    if luck > 0.93 and len(text) > 12:
        at = rng.randrange(1, len(text) - 2)
        text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text


def topic_words(intent: Intent) -> str:
    """The topic's name as plain words."""
    return intent.topic.replace("_", " ")


def grammar_for(rng: random.Random, *, held_out: bool) -> Grammar:
    """A grammar over the message frames."""
    banks: Mapping[str, list[str]] = frames()
    return Grammar(rng, banks, held_out=held_out)
