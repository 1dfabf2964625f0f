"""The values that travel through curation: what a reader yields and what a mapped row is. Knows no file and no step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

Severity = Literal["error", "warning", "info"]
# The role of a last turn that is the other answer of a pair: the one that people liked less than the answer before it.
REJECTED = "rejected"


class Message(TypedDict):
    """One turn of a conversation."""

    role: str
    content: str


def preferred(messages: Sequence[Message]) -> list[Message]:
    """The conversation alone, without the other answer of a pair."""
    return [message for message in messages if message["role"] != REJECTED]


def both(messages: Sequence[Message]) -> list[list[Message]]:
    """The conversation with each of its answers: one, or both of a pair."""
    alone = preferred(messages)
    others = [message for message in messages if message["role"] == REJECTED]
    return [alone, *([*alone[:-1], Message(role="assistant", content=each["content"])] for each in others)]


def spoken(messages: Iterable[Message]) -> str:
    """What is said, without who says it and without system prompts: what copies are compared by."""
    return "\n".join(message["content"] for message in messages if message["role"] != "system")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file: ``row`` counts from 0 within the file, ``line`` from 1 (None: no lines).

    One that was joined, or is a part of another, counts among its like; ``sources`` are the numbers in the file of what
    it was made from, in its own order.
    """

    row: int
    line: int | None
    values: Mapping[str, object]
    sources: tuple[int, ...] = ()

    @property
    def records(self) -> tuple[int, ...]:
        """Numbers of the file's own records in it."""
        return self.sources or (self.row,)


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that could not be read: a short reason, a sentence for people, and as much of its text as was seen."""

    row: int
    line: int | None
    reason: str
    detail: str
    text: str = ""
    sources: tuple[int, ...] = ()

    @property
    def records(self) -> tuple[int, ...]:
        """Numbers of the file's own records in it."""
        return self.sources or (self.row,)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a record that was read does not become a training row."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A training row before it has a split. ``answer_is_label``: the last answer is the label itself, not prose.

    ``split``: the split that the file names for it (``train``, ``validation`` or ``test``), None where it names none.
    ``unanswered``: turns behind the last answer, which were cut off.
    """

    messages: tuple[Message, ...]
    label: str | None = None
    groups: tuple[str, ...] = ()
    answer_is_label: bool = False
    split: str | None = None
    unanswered: int = 0

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
