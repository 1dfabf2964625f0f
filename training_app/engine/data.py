"""Rows of a data set version, and training examples whose loss falls on answers alone. Knows no model."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from training_app.engine.errors import EngineError
from training_app.engine.templates import Message, RenderedChat, render_chat

# Positions that the loss leaves out (torch's ignore_index).
IGNORED = -100
# The role of a last message that people liked less than the answer before it.
REJECTED = "rejected"
COLUMNS = ("row_id", "file", "row", "messages")


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation of a data set version; `file` and `row` say where it came from, `group` which rows it belongs
    together with. `rejected` is the other answer to it where rows are pairs of answers: the one that people liked less than
    the conversation's last.
    """

    row_id: int
    file: str
    row: int
    messages: list[Message]
    label: str | None = None
    rejected: str | None = None
    group: str | None = None

    @property
    def place(self) -> str:
        """Where it came from, for sentences: they count rows from 1, as pages do."""
        return f"{self.file}, row {self.row + 1:,}"


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids and their labels, of equal length; labels are IGNORED outside answers. `weight` scales their loss,
    `place` says where the row came from.
    """

    input_ids: list[int]
    labels: list[int]
    weight: float = 1.0
    place: str = ""

    @property
    def length(self) -> int:
        """How wide it is in a batch."""
        return len(self.input_ids)

    @property
    def tokens(self) -> int:
        """How many tokens the model reads."""
        return len(self.input_ids)

    @property
    def learned(self) -> int:
        """How many positions the loss counts. The first token is never predicted."""
        return sum(label != IGNORED for label in self.labels[1:])


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one conversation: the one that people preferred, and the other."""

    preferred: Example
    other: Example

    @property
    def place(self) -> str:
        """Where the row came from."""
        return self.preferred.place

    @property
    def length(self) -> int:
        """How wide it is in a batch."""
        return max(self.preferred.length, self.other.length)

    @property
    def tokens(self) -> int:
        """How many tokens the model reads."""
        return self.preferred.tokens + self.other.tokens

    @property
    def learned(self) -> int:
        """How many positions the loss counts."""
        return self.preferred.learned + self.other.learned


Item = TypeVar("Item", Example, Pair)


@dataclass(frozen=True, slots=True)
class Examples(Generic[Item]):
    """What a split became: examples or pairs, and the rows that lost their end or had nothing to learn."""

    items: list[Item]
    truncated: int
    nothing_to_learn: int

    @property
    def tokens(self) -> int:
        """All tokens of all examples."""
        return sum(item.tokens for item in self.items)

    @property
    def learned_tokens(self) -> int:
        """The tokens the loss counts."""
        return sum(item.learned for item in self.items)


def read_rows(path: Path) -> list[Row]:
    """The rows of a split's Parquet file. EngineError `data_unreadable` names the file and what is wrong."""
    try:
        present = pq.read_schema(path).names
        table = pq.read_table(path, columns=[name for name in (*COLUMNS, "label", "group") if name in present])
    except (OSError, pa.ArrowException) as error:
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EngineError(
            "data_unreadable",
            f"The split {path.name} cannot be read: {first_line}",
            fix="Freeze the data set version again.",
        ) from error
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise EngineError(
            "data_unreadable",
            f"The split {path.name} has no column {missing[0]}.",
            fix="Freeze the data set version again.",
        )
    return [_row(record) for record in table.to_pylist()]


def _row(record: dict[str, Any]) -> Row:
    messages, rejected = list(record["messages"] or []), None
    if messages and messages[-1]["role"] == REJECTED:
        rejected = messages.pop()["content"]
    return Row(
        row_id=record["row_id"],
        file=record["file"],
        row=record["row"],
        messages=messages,
        label=record.get("label"),
        rejected=rejected,
        group=record.get("group"),
    )


def sample_rows(rows: Sequence[Row], *, limit: int, seed: int) -> list[Row]:
    """At most `limit` rows, drawn with the seed, in their original order."""
    if len(rows) <= limit:
        return list(rows)
    chosen = random.Random(seed).sample(range(len(rows)), limit)
    return [rows[index] for index in sorted(chosen)]


def build_examples(
    rows: Sequence[Row],
    tokenizer: PreTrainedTokenizerBase,
    stop_tokens: frozenset[int],
    *,
    max_length: int,
    weights: Mapping[str, float] | None = None,
) -> Examples[Example]:
    """Tokenise rows in memory, cutting on the right at `max_length`; rows left without an answer are counted out.
    `weights` says how much the loss of a row counts, by its label; 1 where it says nothing.

    EngineError `stop_token_unlearned` when an answer would not teach the model where to end.
    """
    items: list[Example] = []
    truncated = nothing = 0
    chats = [_render_row(tokenizer, row) for row in rows]
    for row, chat, (ids, offsets) in zip(rows, chats, _tokenize(tokenizer, chats), strict=True):
        labels = label_answers(ids, offsets, chat.answers, stop_tokens, where=row.place)
        example = Example(
            input_ids=ids[:max_length],
            labels=labels[:max_length],
            weight=(weights or {}).get(row.label or "", 1.0),
            place=row.place,
        )
        truncated += len(ids) > max_length
        if example.learned:
            items.append(example)
        else:
            nothing += 1
    return Examples(items=items, truncated=truncated, nothing_to_learn=nothing)


def build_pairs(
    rows: Sequence[Row], tokenizer: PreTrainedTokenizerBase, stop_tokens: frozenset[int], *, max_length: int
) -> Examples[Pair]:
    """Tokenise rows with two answers, cutting on the right at `max_length`. Rows with one answer, with the same answer
    twice, or whose answers begin beyond the cut have nothing to teach. The loss sees the last answers alone.
    """
    twice = [row for row in rows if row.rejected is not None and row.messages[-1:] and _differ(row)]
    answers = [each for row in twice for each in (row, replace(row, messages=_other(row)))]
    items: list[Pair] = []
    truncated = 0
    chats = [_render_row(tokenizer, row) for row in answers]
    found = []
    for row, chat, (ids, offsets) in zip(answers, chats, _tokenize(tokenizer, chats), strict=True):
        labels = label_answers(ids, offsets, chat.answers[-1:], stop_tokens, where=row.place)
        found.append((Example(ids[:max_length], labels[:max_length], place=row.place), len(ids) > max_length))
    for (preferred, cut), (other, other_cut) in zip(found[::2], found[1::2], strict=True):
        truncated += cut or other_cut
        if preferred.learned and other.learned:
            items.append(Pair(preferred, other))
    return Examples(items=items, truncated=truncated, nothing_to_learn=len(rows) - len(items))


def _differ(row: Row) -> bool:
    last = row.messages[-1]
    return last["role"] == "assistant" and last["content"] != row.rejected


def _other(row: Row) -> list[Message]:
    return [*row.messages[:-1], {"role": "assistant", "content": row.rejected or ""}]


def label_answers(
    ids: Sequence[int],
    offsets: Sequence[tuple[int, int]],
    answers: Sequence[tuple[int, int]],
    stop_tokens: frozenset[int],
    *,
    where: str,
) -> list[int]:
    """Labels for one text: each answer's tokens up to and including its last stop token, IGNORED elsewhere.

    `offsets` and `answers` are character spans, end exclusive. A token that begins before its answer stays out.
    """
    labels = [IGNORED] * len(ids)
    for start, end in answers:
        inside = [index for index, (first, last) in enumerate(offsets) if start <= first < end and last <= end]
        stops = [index for index in inside if ids[index] in stop_tokens]
        if not stops:
            raise EngineError(
                "stop_token_unlearned",
                f"In {where}, the chat template puts no stop token inside the answer's marks, "
                "so the model would never learn to end an answer.",
                fix="Put the end-of-turn token before {% endgeneration %} and make it the tokenizer's eos_token.",
            )
        for index in inside:
            if index <= stops[-1]:
                labels[index] = ids[index]
    return labels


def _render_row(tokenizer: PreTrainedTokenizerBase, row: Row) -> RenderedChat:
    try:
        return render_chat(tokenizer, row.messages)
    except EngineError as error:
        raise EngineError(error.code, f"{row.place}: {error.message}", fix=error.fix) from error


def _tokenize(
    tokenizer: PreTrainedTokenizerBase, chats: Sequence[RenderedChat]
) -> list[tuple[list[int], list[tuple[int, int]]]]:
    if not chats:
        return []
    encoded = tokenizer([chat.text for chat in chats], add_special_tokens=False, return_offsets_mapping=True)
    return list(zip(encoded["input_ids"], encoded["offset_mapping"], strict=True))
