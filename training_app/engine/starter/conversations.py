"""Conversations of several turns: support cases and small talk. Returns chat messages, knows no tokenizer."""

from __future__ import annotations

from functools import cache
from typing import Any

from training_app.engine.starter.grammar import Grammar, load_bank, sentence
from training_app.engine.starter.messages import Intent, as_typed, write_message

Chat = list[dict[str, str]]


@cache
def _everyday() -> dict[str, Any]:
    return load_bank("everyday")


@cache
def _replies() -> dict[str, list[str]]:
    replies: dict[str, list[str]] = load_bank("frames")["reply"]
    return replies


def everyday_banks() -> dict[str, list[str]]:
    """The gaps of small talk and their fillings."""
    banks = {name: value for name, value in _everyday().items() if name != "talk"}
    return banks | {"minutes": ["ten", "fifteen", "twenty", "thirty", "forty"]}


def said(role: str, content: str) -> dict[str, str]:
    """One chat message."""
    return {"role": role, "content": content}


def with_system(grammar: Grammar, chat: Chat) -> Chat:
    """The chat, now and then opened by a system prompt."""
    return [said("system", grammar.choose(_everyday()["system"])), *chat] if grammar.chance(0.3) else chat


def support_case(grammar: Grammar, intent: Intent) -> Chat:
    """A customer's problem, the agent's answer, and often a number asked for, given, and a next step."""
    message = write_message(grammar, intent)
    fixed = {"o": message.thing}
    chat = [said("user", message.text), said("assistant", _reply(grammar, intent.family, fixed))]
    if grammar.chance(0.5):
        number = grammar.expand("{number}")
        given = {"number": number}
        found = grammar.expand(grammar.choose(grammar.banks["thanks_for"]), given)
        step = grammar.expand(grammar.choose(grammar.banks["next_step"]))
        asked = grammar.expand(grammar.choose(grammar.banks["give"]), given)
        chat += [said("user", as_typed(grammar.rng, sentence(asked))), said("assistant", f"{found} {step}")]
    if grammar.chance(0.3):
        thanks = grammar.expand(grammar.choose(grammar.banks["close_user"]))
        bye = grammar.expand(grammar.choose(grammar.banks["close_agent"]))
        chat += [said("user", as_typed(grammar.rng, sentence(thanks))), said("assistant", bye)]
    return with_system(grammar, chat)


def _reply(grammar: Grammar, family: str, fixed: dict[str, str]) -> str:
    return grammar.expand(grammar.choose(_replies()[family]), fixed)


def small_talk(grammar: Grammar) -> Chat:
    """A question about daily life with an answer, and sometimes one or two more."""
    talk = grammar.rng.choice(_everyday()["talk"])
    banks = grammar.banks
    topic = {"a": grammar.choose(banks[talk["a"]])}
    question = sentence(grammar.expand(grammar.choose(talk["user"]), topic), end="?")
    answer = sentence(grammar.expand(grammar.choose(talk["agent"]), topic))
    chat = [said("user", as_typed(grammar.rng, question)), said("assistant", answer)]
    while grammar.chance(0.4) and len(chat) < 8:
        at = grammar.rng.randrange(len(talk["more_user"]))
        more = sentence(grammar.expand(talk["more_user"][at], topic), end="?")
        chat += [said("user", as_typed(grammar.rng, more))]
        chat += [said("assistant", sentence(grammar.expand(talk["more_agent"][at], topic)))]
    return with_system(grammar, chat)
