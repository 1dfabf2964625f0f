"""The starter's text: which share of what, for training and held out. Yields chats and plain paragraphs.

Held-out text is drawn with another seed, prefers wordings kept back from training, and uses other paragraphs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from training_app.engine.starter import tasks
from training_app.engine.starter.conversations import Chat, everyday_banks, small_talk, support_case
from training_app.engine.starter.grammar import Grammar
from training_app.engine.starter.library_text import paragraphs
from training_app.engine.starter.messages import Intent, frames, intents

#: Shares of documents by kind. Labels come often: naming a topic is what teaches a small model to read a message.
CHATS: dict[str, tuple[int, Callable[[Grammar, Intent], Chat]]] = {
    "label": (34, tasks.label_message),
    "choose": (9, tasks.choose_label),
    "rephrase": (9, tasks.rephrase),
    "summarise": (6, tasks.summarise),
    "name": (3, tasks.name_thing),
    "number": (3, tasks.pull_out_number),
    "support": (16, support_case),
}
OTHER_SHARES = {"small talk": 9, "fact": 3, "library": 8}
#: Characters of library prose; all of it is less on Python 3.11.
LIBRARY_LIMIT = 2_000_000
#: One paragraph of library prose in this many is held out.
LIBRARY_KEPT_BACK = 20

Document = Chat | str


def documents(seed: int, *, held_out: bool = False) -> Iterator[Document]:
    """An endless, seeded stream of documents: chats as message lists, library prose as text."""
    rng = random.Random(f"{seed}/{'held out' if held_out else 'training'}")
    support = Grammar(rng, frames(), held_out=held_out)
    everyday = Grammar(rng, everyday_banks(), held_out=held_out)
    library = [text for at, text in enumerate(paragraphs(LIBRARY_LIMIT)) if (at % LIBRARY_KEPT_BACK == 0) == held_out]
    shares = {name: share for name, (share, _) in CHATS.items()} | OTHER_SHARES
    while True:
        kind = rng.choices(list(shares), list(shares.values()))[0]
        if kind == "library":
            yield rng.choice(library)
        elif kind == "small talk":
            yield small_talk(everyday)
        elif kind == "fact":
            yield tasks.answer_fact(support)
        else:
            yield CHATS[kind][1](support, rng.choice(intents()))


def plain_text(document: Document) -> str:
    """A document's words alone, for the tokenizer's training."""
    return document if isinstance(document, str) else "\n".join(message["content"] for message in document)
