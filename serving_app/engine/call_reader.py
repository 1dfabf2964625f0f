"""An answer's text, piece by piece, to plain text and function calls. Knows one syntax; refuses to know tokens.

What a grammar has kept in form is read here, so nothing is guessed: before the mark it is text, after it calls.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass

from serving_app.engine.call_syntax import CallSyntax
from serving_app.engine.stops import overlap


@dataclass(frozen=True, slots=True)
class CallPiece:
    """New characters of a call's arguments; `call_id` and `name` stand on a call's first piece alone."""

    index: int
    arguments: str
    call_id: str | None = None
    name: str | None = None


class CallReader:
    """Reads one answer. What may be the mark's beginning is held back, and spaces before it."""

    def __init__(self, syntax: CallSyntax) -> None:
        self._mark = syntax.mark
        self._undecided = syntax.is_bare
        self._plain = False
        self._head = re.compile(r'\{"name": ("[A-Za-z0-9_-]+"), ' + re.escape(json.dumps(syntax.key)) + ": ")
        self._held = ""
        self._calling = False
        self._inside: _Value | None = None
        self.calls = 0

    def push(self, text: str) -> tuple[str, list[CallPiece]]:
        """New plain text and new pieces of calls."""
        self._held += text
        if self._undecided and self._held:
            self._undecided, self._calling = False, self._held.startswith("{")
            self._plain = not self._calling
        if self._calling:
            return "", self._read_calls()
        if self._plain:
            text, self._held = self._held, ""
            return text, []
        if self._undecided:
            return "", []
        before, mark, after = self._held.partition(self._mark)
        if mark:
            self._calling, self._held = True, after
            return before.rstrip(), self._read_calls()
        sure = len(before[: len(before) - overlap(before, self._mark)].rstrip())
        self._held = before[sure:]
        return before[:sure], []

    def finish(self) -> str:
        """Text that was held back and turned out to be plain."""
        held, self._held = ("" if self._calling else self._held), ""
        return held

    def _read_calls(self) -> list[CallPiece]:
        pieces: list[CallPiece] = []
        while True:
            if self._inside is None:
                found = self._head.search(self._held)
                if found is None:
                    return pieces
                self._held, self._inside = self._held[found.end() :], _Value()
                self.calls += 1
                call_id = f"call_{uuid.uuid4().hex[:24]}"
                pieces.append(CallPiece(self.calls - 1, "", call_id, json.loads(found[1])))
            taken = self._inside.take(self._held)
            if taken:
                pieces.append(CallPiece(self.calls - 1, self._held[:taken]))
            self._held = self._held[taken:]
            if not self._inside.over:
                return pieces
            self._inside = None


class _Value:
    """Finds the end of one JSON object in text that comes in pieces."""

    def __init__(self) -> None:
        self.over = False
        self._depth = 0
        self._quoted = False
        self._escaped = False

    def take(self, text: str) -> int:
        """How many of these characters belong to it."""
        for at, letter in enumerate(text):
            if self._escaped:
                self._escaped = False
            elif self._quoted:
                self._escaped, self._quoted = letter == "\\", letter != '"'
            elif letter == '"':
                self._quoted = True
            elif letter in "{[":
                self._depth += 1
            elif letter in "}]":
                self._depth -= 1
                if not self._depth:
                    self.over = True
                    return at + 1
        return len(text)
