"""Labelled text as it is put together: pieces that know their label, joined only at the end, so offsets cannot drift."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Piece(NamedTuple):
    """A stretch of text; `label` is an entity type or None for ordinary text."""

    text: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with its labels: `spans` are (start, end, entity type), end exclusive, in order, never overlapping."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def join(pieces: Iterable[Piece]) -> Labelled:
    """The text of all pieces; white space at the rim of a labelled piece stays outside of its span."""
    parts: list[str] = []
    spans: list[tuple[int, int, str]] = []
    at = 0
    for text, label in pieces:
        if label and text.strip():
            start = at + len(text) - len(text.lstrip())
            spans.append((start, start + len(text.strip()), label))
        parts.append(text)
        at += len(text)
    return Labelled("".join(parts), tuple(spans))
