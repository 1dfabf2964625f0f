"""What the turns before a text say of a bare number in it. The standard library alone; knows turns, not rows."""

from __future__ import annotations

import re
from collections.abc import Iterable

from datasets_app.curation.pii import introductions
from datasets_app.curation.pii.cues import asked_for, is_about_identity

_DIGIT = re.compile(r"\d")
LAST = 2  # turns in which somebody may have been introduced


class Talk:
    """The turns before a text, oldest first. Each is read only when a number asks, and only once."""

    def __init__(self, turns: Iterable[str] = ()) -> None:
        self.turns = list(turns)
        self._read = 0
        self._is_about_identity = False
        self._asked: tuple[int, str | None] = (0, None)
        self._introduced: tuple[int, bool] = (0, False)

    def add(self, turn: str) -> None:
        """The next turn is over."""
        self.turns.append(turn)

    @property
    def asked(self) -> str | None:
        """What the turn before asked for; a turn with digits has answered for itself."""
        if self._asked[0] != len(self.turns):
            turn = self.turns[-1]
            self._asked = len(self.turns), None if _DIGIT.search(turn) else asked_for(turn)
        return self._asked[1]

    @property
    def is_about_identity(self) -> bool:
        """Whether any turn is about who somebody is or what is theirs at a bank."""
        while not self._is_about_identity and self._read < len(self.turns):
            self._is_about_identity = is_about_identity(self.turns[self._read])
            self._read += 1
        return self._is_about_identity

    @property
    def introduced(self) -> bool:
        """Whether somebody was introduced in the last turns."""
        if self._introduced[0] != len(self.turns):
            found = any(True for turn in self.turns[-LAST:] for _ in introductions.find(turn))
            self._introduced = len(self.turns), found
        return self._introduced[1]
