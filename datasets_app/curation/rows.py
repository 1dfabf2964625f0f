"""The values that travel through curation: what a reader yields and what a mapped row is. Knows no file and no step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypedDict

Severity = Literal["error", "warning", "info"]


class Message(TypedDict):
    """One turn of a conversation."""

    role: str
    content: str


def spoken(messages: Iterable[Message]) -> str:
    """What is said, without who says it and without system prompts: what copies are compared by."""
    return "\n".join(message["content"] for message in messages if message["role"] != "system")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file: ``row`` counts from 0 within the file, ``line`` from 1 (None: no lines)."""

    row: int
    line: int | None
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that could not be read: a short reason, a sentence for people, and as much of its text as was seen."""

    row: int
    line: int | None
    reason: str
    detail: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a record that was read does not become a training row."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A training row before it has a split. ``answer_is_label``: the last answer is the label itself, not prose.

    ``split``: the split that the file names for it (``train``, ``validation`` or ``test``), None where it names none.
    """

    messages: tuple[Message, ...]
    label: str | None = None
    groups: tuple[str, ...] = ()
    answer_is_label: bool = False
    split: str | None = None

    def text(self) -> str:
        """All turns, one a line, as people read them in the ledger."""
        return "\n".join(f"{message['role']}: {message['content']}" for message in self.messages)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth telling about a file. ``row``/``line`` are the first place it was seen, ``count`` how often."""

    severity: Severity
    message: str
    row: int | None = None
    line: int | None = None
    count: int = 1

    def as_json(self) -> dict[str, object]:
        """The finding as it is written into reports."""
        return {
            "severity": self.severity,
            "message": self.message,
            "row": self.row,
            "line": self.line,
            "count": self.count,
        }
