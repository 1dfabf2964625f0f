"""Rows whose question or answer is too short or too long. Counts characters or words; knows no tokens."""

from __future__ import annotations

from dataclasses import dataclass

from datasets_app.curation.filters import answer, question
from datasets_app.curation.rows import Conversation, Rejection

UNITS = ("characters", "words")
Bounds = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Length:
    """Bounds (least, most), both included, for all turns of the user and of the assistant; None is no bound.

    The bounds of the answer do not hold for class labels.
    """

    unit: str
    question: Bounds = (None, None)
    answer: Bounds = (None, None)

    def judge(self, found: Conversation) -> Rejection | None:
        """Why the row is too short or too long, or None."""
        if why := self._judge("question", question(found), self.question):
            return why
        return None if found.answer_is_label else self._judge("answer", answer(found), self.answer)

    def _judge(self, name: str, text: str, bounds: Bounds) -> Rejection | None:
        least, most = bounds
        if least is None and most is None:
            return None
        size = len(text) if self.unit == "characters" else len(text.split())
        has = f"The {name} has {size:,} {self.unit.removesuffix('s') if size == 1 else self.unit}"
        if least is not None and size < least:
            return Rejection(f"short_{name}", f"{has}, fewer than the {least:,} that the recipe wants.")
        if most is not None and size > most:
            return Rejection(f"long_{name}", f"{has}, more than the {most:,} that the recipe allows.")
        return None
