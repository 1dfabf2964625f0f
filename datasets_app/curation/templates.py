"""Rows of one template: texts that are equal but for what was filled in. Numbers, dates, amounts, addresses, masks,
slots such as `{name}` and capitalised names count as filled in; what is left is the frame. Joins nothing.

A short text has no frame: "Where is Berlin?" and "Where is Paris?" are two questions. Names in lower case are words like
any other here; the personal data step masks them before.
"""

from __future__ import annotations

import re
import unicodedata

from datasets_app.curation.dedupe import split_words
from datasets_app.curation.rows import Conversation

FRAME_WORDS = 8
WORDS_A_SLOT = 1.5
READ_CHARACTERS = 10_000
_SLOT = "\ue000"
_FILLED = re.compile(
    r"\[[A-Z][A-Z_]{1,23}(?:_\d+)?\]"  # masks
    r"|\{\{?[^{}\n]{1,40}\}\}?|<[A-Za-z][\w .-]{0,39}>|%\(\w{1,40}\)s|%s|\$\{?[A-Za-z_]\w{0,39}\}?"  # slots left open
    r"|(?:https?://|www\.)\S+|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}"
    r"|[#€$£¥]?[\w./:,+-]{0,30}\d[\w./:,+%€$£¥-]*"  # whatever holds a digit: amounts, dates, order numbers
)
# Letters that begin a name, in every script that tells them apart.
_CAPITALS = "".join(letter for letter in map(chr, range(0x1F000)) if unicodedata.category(letter) in ("Lu", "Lt"))
_NAME = rf"(?!I\b)[{_CAPITALS}][\w'’-]*\.?"
_NAMES = re.compile(rf"(?<=[^\s.!?:\"“(][^\S\n]){_NAME}(?:[^\S\n]+{_NAME})*")  # within a sentence
_FIRST = re.compile(
    rf"(?m)(?:^|(?<=[.!?:\"“(]\s)|(?<=[\"“(])){_NAME}(?=[^\S\n]*{_SLOT}|,)"
)  # goes with what follows it
_RUN = re.compile(rf"{_SLOT}(?:[^\w\n]*{_SLOT})+")


def frame(text: str) -> str:
    """The words of a text in lower case with one mark for each thing filled in; empty where there is none, or where
    fewer than FRAME_WORDS words are left, or fewer than WORDS_A_SLOT for each mark. Reads READ_CHARACTERS."""
    marked = _FIRST.sub(_SLOT, _NAMES.sub(_SLOT, _FILLED.sub(_SLOT, text[:READ_CHARACTERS])))
    slots = marked.count(_SLOT)
    if not slots:
        return ""
    parts = [split_words(part) for part in _RUN.sub(_SLOT, marked).split(_SLOT)]
    count = sum(map(len, parts))
    if count < max(FRAME_WORDS, WORDS_A_SLOT * slots):
        return ""
    return _SLOT.join(" ".join(part) for part in parts)


def frames(found: Conversation) -> list[str]:
    """What rows of one template share: the frame of all that the user says, and of the whole row."""
    asked = "\n".join(each["content"] for each in found.messages if each["role"] == "user")
    whole = "\n".join(each["content"] for each in found.messages if each["role"] != "system")
    made = (("asked", frame(asked)), ("whole", frame(whole)))
    return [f"frame {of}{_SLOT}{each}" for of, each in made if each]
