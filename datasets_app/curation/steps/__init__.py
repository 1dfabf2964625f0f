"""The steps that run row by row in the first pass: one module each, named in `kinds.py`.

A step is built once a process from its options and what is known of the data. It takes a batch of rows in file order
and gives for each a conversation or the reason why the row goes. It keeps nothing between batches, so that batches can
run anywhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.pii.lists import Values
from datasets_app.curation.rows import Conversation, Message, Record, Rejection

Outcome = Conversation | Rejection


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row on its way: the conversation as the steps before left it, and the file, record and columns it came from.
    `is_hidden`: personal data in it was hidden on the way."""

    file: str
    conversation: Conversation
    record: Record
    mapping: ColumnMap
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What steps may know beside their options: the address of a LanguageTool server, where the caller names one, and
    what was surveyed over the whole data, by kind of step; the workspace's secret, for digests and stand-ins that
    cannot be turned back. Plain values: it travels to other processes."""

    languagetool_url: str | None = None
    surveys: Mapping[str, Any] = field(default_factory=dict)
    secret: bytes = b""


class RowStep(ABC):
    """One step over batches of rows. `options` are complete and checked.

    notes: what the step has to say about single findings of a batch; whoever runs the step takes them away. values: the
    personal data that it hid, in clear, by row, taken away likewise.
    """

    def __init__(self, options: Mapping[str, Any], known: Known) -> None:
        self.options, self.known = options, known
        self.notes: list[dict[str, Any]] = []
        self.values: dict[int, Values] = {}

    def taken(self) -> list[dict[str, Any]]:
        """The notes, which are gone then."""
        notes, self.notes = self.notes, []
        return notes

    def hid(self) -> dict[int, Values]:
        """The values, which are gone then."""
        values, self.values = self.values, {}
        return values

    @abstractmethod
    def run(self, rows: Sequence[Candidate], counts: Counter[str]) -> list[Outcome]:
        """One outcome a row, in their order. What was done is added to `counts` by name, for kept rows alone."""


class TextStep(RowStep):
    """A step that changes each text by itself. An answer that is a class label is left alone unless `labels_too`."""

    labels_too = False

    @abstractmethod
    def edit(self, text: str, counts: Counter[str]) -> str:
        """The text as it should be."""

    def run(self, rows: Sequence[Candidate], counts: Counter[str]) -> list[Outcome]:
        return [self._edited(row.conversation, counts) for row in rows]

    def _edited(self, found: Conversation, counts: Counter[str]) -> Conversation:
        messages = list(found.messages)
        stop = len(messages) - (found.answer_is_label and not self.labels_too)
        for place, message in enumerate(messages[:stop]):
            content = self.edit(message["content"], counts)
            messages[place] = Message(role=message["role"], content=content)
        return replace(found, messages=tuple(messages))
