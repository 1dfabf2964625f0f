"""Sentences that many answers share: greetings, sign-offs, disclaimers. A survey counts them, then they can be cut.

The survey sees the data once before the rows are cleaned, so sentences are compared without case and signs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

from datasets_app.curation.dedupe import plain
from datasets_app.curation.rows import REJECTED, Conversation, Message, Rejection

LEAST_ROWS = 20
LEAST_WORDS = 3
MOST_KEPT = 200_000  # sentences that are remembered at once
_SENTENCE = re.compile(r"[^\n.!?]*(?:[.!?]+(?![\w.])|[.!?]+(?=\w)[^\n.!?]*)*\s*|\n+\s*")


def sentences(text: str) -> list[tuple[int, int]]:
    """`(start, end)` of each sentence or line, with the space behind it; together they are the text."""
    return [match.span() for match in _SENTENCE.finditer(text) if match.end() > match.start()]


def _keys(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    for start, end in sentences(text):
        key = plain(text[start:end])
        if key.count(" ") >= LEAST_WORDS - 1:
            yield key, (start, end)


class Sightings:
    """Counts in how many rows each sentence of an answer occurs. Rows are whole conversations; labels do not count."""

    def __init__(self) -> None:
        self.rows = 0
        self.counts: Counter[str] = Counter()

    def add(self, found: Conversation) -> None:
        """One more row."""
        if found.answer_is_label:
            return
        self.rows += 1
        self.counts.update(
            {key for each in found.messages if each["role"] == "assistant" for key, _ in _keys(each["content"])}
        )
        if len(self.counts) > MOST_KEPT:
            self.counts = Counter({key: count for key, count in self.counts.items() if count > 1})

    def repeated(self, share: float) -> list[str]:
        """Sentences in at least `share` of the rows, and in twenty; the commonest first."""
        least = max(LEAST_ROWS, share * self.rows)
        return [key for key, count in self.counts.most_common() if count >= least]


class Boilerplate:
    """Cuts repeated sentences out of answers. What a row learns must be more than what all rows say."""

    def __init__(self, repeated: Collection[str]) -> None:
        self.repeated = frozenset(repeated)

    def judge(self, found: Conversation) -> Rejection | None:
        """Why the row counts as boilerplate, or None: every sentence of its answers is one that many rows share."""
        answers = [each["content"] for each in found.messages if each["role"] == "assistant"]
        if found.answer_is_label or not answers or any(self.stripped(text) for text in answers):
            return None
        first = " ".join(answers)[:60].strip()
        return Rejection("boilerplate", f"The answer says only what many rows say (“{first}”).")

    def strip(self, found: Conversation) -> Conversation:
        """The conversation without those sentences in its answers. An answer that is nothing else stays whole."""
        if found.answer_is_label:
            return found
        messages = [
            Message(role=each["role"], content=self.stripped(each["content"]) or each["content"])
            if each["role"] in ("assistant", REJECTED)
            else each
            for each in found.messages
        ]
        return replace(found, messages=tuple(messages))

    def stripped(self, text: str) -> str:
        """A text without the repeated sentences; the text itself where there are none."""
        cut = [span for key, span in _keys(text) if key in self.repeated]
        if not cut:
            return text
        for start, end in reversed(cut):
            text = text[:start] + text[end:]
        return text.strip()
