"""How long a row is for the chosen model, and what happens to rows that are too long. The answer is never cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets_app.curation.browsing.chattext import FAULTS
from datasets_app.curation.errors import Refusal
from datasets_app.curation.rows import Message, both

EDGES = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048, 4096, 1 << 31)

# Words, and of what is written without spaces a dozen signs; a question of fewer than LEAST_PIECES says nothing.
_PIECE = re.compile(r"\S{1,12}\s*")
LEAST_PIECES = 4


class TokenCounter:
    """Counts with a model folder's own tokenizer and chat template."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoTokenizer

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            raise Refusal(
                code="invalid_tokenizer",
                message=f"{folder.name} holds no tokenizer that can be loaded.",
                fix="Choose another base model for the token step.",
            ) from error
        if not self._tokenizer.chat_template:
            self._tokenizer.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"

    def counts(self, rows: Sequence[Sequence[Message]]) -> list[int | None]:
        """Tokens of each conversation as the model would see it while it learns, with the longer of two answers where it
        has a pair; None where the template refuses it."""
        answered = [both(row) for row in rows]
        found = iter(self._counted([each for row in answered for each in row]))
        return [_longest([next(found) for _ in row]) for row in answered]

    def _counted(self, rows: Sequence[Sequence[Message]]) -> list[int | None]:
        texts = [self._render(row) for row in rows]
        encoded = self._tokenizer([text or "" for text in texts], add_special_tokens=False, return_attention_mask=False)
        return [len(ids) if text is not None else None for ids, text in zip(encoded["input_ids"], texts, strict=True)]

    def _render(self, row: Sequence[Message]) -> str | None:
        try:
            return str(self._tokenizer.apply_chat_template(list(row), tokenize=False))
        except FAULTS:
            return None


def _longest(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return max(known) if len(known) == len(counts) else None


def without_oldest(messages: Sequence[Message]) -> list[Message] | None:
    """The conversation without its oldest question and what follows up to the next one; None when one is left."""
    system = [message for message in messages if message["role"] == "system"]
    turns = [message for message in messages if message["role"] != "system"]
    starts = [place for place, message in enumerate(turns) if message["role"] == "user" and place > 0]
    return [*system, *turns[starts[0] :]] if starts else None


def truncated(counter: TokenCounter, messages: Sequence[Message], *, limit: int) -> tuple[list[Message], int] | None:
    """Drop the oldest turns until the rest fits, then the end of the one question that is left; None where the answer
    leaves no room for a question."""
    left = list(messages)
    while True:
        (count,) = counter.counts([left])
        if count is not None and count <= limit:
            return left, count
        shorter = without_oldest(left)
        if shorter is None:
            return _with_less_question(counter, left, limit)
        left = shorter


def _with_less_question(counter: TokenCounter, messages: list[Message], limit: int) -> tuple[list[Message], int] | None:
    """The longest beginning of the longest question with which the rest fits, found by halving."""
    asked = [place for place, message in enumerate(messages) if message["role"] == "user"]
    if not asked:
        return None
    at = max(asked, key=lambda place: len(messages[place]["content"]))
    pieces = _PIECE.findall(messages[at]["content"])
    best, low, high = None, LEAST_PIECES, len(pieces) - 1
    while low <= high:
        middle = (low + high) // 2
        question: Message = {**messages[at], "content": "".join(pieces[:middle]).rstrip()}
        made = [*messages[:at], question, *messages[at + 1 :]]
        (count,) = counter.counts([made])
        if count is not None and count <= limit:
            best, low = (made, count), middle + 1
        else:
            high = middle - 1
    return best


class Histogram:
    """Rows by length, in bins up to fixed edges."""

    def __init__(self) -> None:
        self.bins = [0] * len(EDGES)

    def add(self, count: int) -> None:
        self.bins[next(place for place, edge in enumerate(EDGES) if count <= edge)] += 1

    def as_json(self) -> list[list[int]]:
        """[[upper edge, rows], …] up to the last bin that holds something."""
        last = max((place for place, rows in enumerate(self.bins) if rows), default=-1)
        return [[EDGES[place], self.bins[place]] for place in range(last + 1)]
