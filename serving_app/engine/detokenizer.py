"""Token ids to text as they come, never half a character. Knows no stop strings and no model."""

from __future__ import annotations

from collections.abc import Callable

REPLACEMENT = "\ufffd"
# An unfinished UTF-8 character is at most three bytes. Byte-level tokenizers show such a tail as one replacement
# character, byte-fallback tokenizers as one for every byte.
LONGEST_TAIL = 3


class Detokenizer:
    """Decodes one sequence piece by piece.

    Each decode runs over a short window that begins with ids already shown, because many tokenizers drop or add a
    space at the start of what they decode. What was given out is never taken back; the pieces joined are the text.
    """

    def __init__(self, decode: Callable[[list[int]], str]) -> None:
        self._decode = decode
        self._window: list[int] = []
        self._context = 0
        self._shown = 0

    def push(self, token: int) -> str:
        """The text that became certain with this token; empty while a character is unfinished."""
        self._window.append(token)
        text = self._decode(self._window)
        sure = len(text) - _unfinished_tail(text)
        piece = text[self._shown : sure]
        if sure == len(text):
            self._slide()
        else:
            self._shown = max(self._shown, sure)
        return piece

    def _slide(self) -> None:
        """Keep only the newest ids as the next window's context."""
        self._window = self._window[self._context :]
        self._context = len(self._window)
        self._shown = len(self._decode(self._window))


def _unfinished_tail(text: str) -> int:
    """How many characters at the end may still change when more bytes arrive."""
    tail = len(text) - len(text.rstrip(REPLACEMENT))
    return min(tail, LONGEST_TAIL)
