"""Reasons to leave a row out: each filter looks at one conversation and says why it should go, or nothing.

They know no recipe, no file and no other row; what the data as a whole says is handed to them.
"""

from __future__ import annotations

from collections.abc import Iterable

from datasets_app.curation.rows import Conversation

PLACES = ("any", "question", "answer")


def said(found: Conversation, role: str) -> str:
    """All turns of one role, a line between them."""
    return "\n".join(each["content"] for each in found.messages if each["role"] == role)


def question(found: Conversation) -> str:
    """What the user says, in all turns."""
    return said(found, "user")


def answer(found: Conversation) -> str:
    """What the assistant says, in all turns; empty where the answer is a class label and no prose."""
    return "" if found.answer_is_label else said(found, "assistant")


def texts_at(found: Conversation, place: str) -> Iterable[str]:
    """The texts of a place of PLACES that are not empty, by role."""
    texts = {"question": question(found), "answer": answer(found)}
    return [text for name, text in texts.items() if place in ("any", name) and text.strip()]
