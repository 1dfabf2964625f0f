"""How long a row is for the chosen model, and what happens to rows that are too long. The answer is never cut."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets_app.curation.browsing.chattext import FAULTS
from datasets_app.curation.errors import Refusal
from datasets_app.curation.rows import Message

EDGES = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048, 4096, 1 << 31)


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
        """Tokens of each conversation as the model would see it while it learns; None where the template refuses it."""
        texts = [self._render(row) for row in rows]
        encoded = self._tokenizer([text or "" for text in texts], add_special_tokens=False, return_attention_mask=False)
        return [len(ids) if text is not None else None for ids, text in zip(encoded["input_ids"], texts, strict=True)]

    def _render(self, row: Sequence[Message]) -> str | None:
        try:
            return str(self._tokenizer.apply_chat_template(list(row), tokenize=False))
        except FAULTS:
            return None


def without_oldest(messages: Sequence[Message]) -> list[Message] | None:
    """The conversation without its oldest question and what follows up to the next one; None when one is left."""
    system = [message for message in messages if message["role"] == "system"]
    turns = [message for message in messages if message["role"] != "system"]
    starts = [place for place, message in enumerate(turns) if message["role"] == "user" and place > 0]
    return [*system, *turns[starts[0] :]] if starts else None


def truncated(counter: TokenCounter, messages: Sequence[Message], *, limit: int) -> tuple[list[Message], int] | None:
    """Drop the oldest turns until the rest fits; None when even the last question and answer are too long."""
    left: list[Message] | None = list(messages)
    while left is not None:
        (count,) = counter.counts([left])
        if count is not None and count <= limit:
            return left, count
        left = without_oldest(left)
    return None


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
