"""Single-turn tasks with short answers: label, choose, summarise, rephrase, pull out a field, answer a fact.

Returns chat messages; knows no tokenizer.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from training_app.engine.starter.conversations import Chat, said
from training_app.engine.starter.grammar import Grammar, load_bank, sentence
from training_app.engine.starter.messages import Intent, intents, topic_words, write_message

_LABEL_PROMPTS = (
    "Name the topic of the message.",
    "Answer with the topic of the message in snake_case.",
    "Sort the message: give one short label.",
    "Which topic is this? Reply with the label alone.",
    "You label messages.",
)
_SHORTEN = (
    "Say it in a few words: {m}",
    "Summarise: {m}",
    "Give me the short version. {m}",
    "In short, what is this about? {m}",
)
_REPHRASE = ("Say it another way: {m}", "Rephrase: {m}", "Write this in other words. {m}", "Put it differently: {m}")
_NUMBER = ("Which number is in the text? {m}", "Give me the number in this message. {m}", "Pull out the number: {m}")
_THING = ("What is the message about? {m}", "Which thing does the customer mean? {m}", "Name the thing: {m}")


def label_message(grammar: Grammar, intent: Intent) -> Chat:
    """A message and its topic in snake_case, more often than not without any instruction."""
    chat = [said("user", write_message(grammar, intent).text), said("assistant", intent.topic)]
    return [said("system", grammar.choose(_LABEL_PROMPTS)), *chat] if grammar.chance(0.4) else chat


def choose_label(grammar: Grammar, intent: Intent) -> Chat:
    """A message with a list of topics, one of which is right."""
    others = {grammar.rng.choice(intents()).topic for _ in range(grammar.rng.randint(2, 6))}
    names = list(others | {intent.topic})
    names.sort()
    grammar.rng.shuffle(names)
    prompt = f"Answer with one of these topics: {', '.join(names)}."
    message = write_message(grammar, intent).text
    return [said("system", prompt), said("user", message), said("assistant", intent.topic)]


def summarise(grammar: Grammar, intent: Intent) -> Chat:
    """A message and its topic as plain words."""
    message = write_message(grammar, intent)
    return _ask(grammar, _SHORTEN, message.text, sentence(topic_words(intent)))


def rephrase(grammar: Grammar, intent: Intent) -> Chat:
    """A message and another wording of the same intent, about the same thing."""
    message = write_message(grammar, intent)
    other = grammar.expand(grammar.choose(intent.says), {"o": message.thing})
    return _ask(grammar, _REPHRASE, message.text, sentence(other))


def name_thing(grammar: Grammar, intent: Intent) -> Chat:
    """A message and the thing it is about."""
    message = write_message(grammar, intent)
    return _ask(grammar, _THING, message.text, message.thing)


def pull_out_number(grammar: Grammar, intent: Intent) -> Chat:
    """A message with a reference number, and that number."""
    number = grammar.expand("{number}")
    carrier = grammar.rng.choice(
        (f"My number is {number}.", f"The reference is {number}.", f"It is about case {number}.")
    )
    text = f"{write_message(grammar, intent).text} {carrier}"
    return _ask(grammar, _NUMBER, text, number)


def _ask(grammar: Grammar, prompts: tuple[str, ...], text: str, answer: str) -> Chat:
    question = grammar.choose(prompts).replace("{m}", text)
    return [said("user", question), said("assistant", answer)]


@cache
def _facts() -> dict[str, Any]:
    return load_bank("facts")


def answer_fact(grammar: Grammar) -> Chat:
    """A plain question about the world with its short answer."""
    kind = grammar.rng.choice(("capital", "opposite", "means", "means", "home", "sum"))
    if kind == "sum":
        left, right = grammar.rng.randint(1, 12), grammar.rng.randint(1, 12)
        return [said("user", f"What is {left} plus {right}?"), said("assistant", str(left + right))]
    key = grammar.rng.choice(sorted(_facts()[kind]))
    value = _facts()[kind][key]
    article = "an" if key[0] in "aeiou" else "a"
    questions = {
        "capital": (
            f"What is the capital of {key}?",
            f"Which city is the capital of {key}?",
            f"Name the capital of {key}.",
        ),
        "opposite": (
            f"What is the opposite of {key}?",
            f"Give me the opposite of {key}.",
            f"{sentence(key, end='')} or ...?",
        ),
        "means": (f"What is {article} {key}?", f"What does {key} mean?", f"Explain the word {key}."),
        "home": (f"Where does {article} {key} live?", f"What is the home of {article} {key}?"),
    }
    return [
        said("user", grammar.rng.choice(questions[kind])),
        said("assistant", sentence(value) if kind == "means" else value),
    ]
