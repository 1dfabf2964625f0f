"""A text that grows is let through as far as no rule can still be broken by what is held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from serving_app.guardrails.folding import Folded, fold
from serving_app.guardrails.rules import Hit, Rule, Window

LONG_HOLD = 64  # characters held back, from which on a few more are not felt
LONGEST_WORD = 100  # how far back a window's edge may move to stand between two words


@dataclass(frozen=True, slots=True)
class Breach:
    """A hit with the text around it: what a reviewer needs to see. `hit` counts in `around`; `earlier` are the turns
    before that text, which explain bare numbers in it."""

    hit: Hit
    around: str
    earlier: Sequence[str] = ()


class Watch:
    """One growing text. After a breach nothing more of it goes out."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._hold = max(rule.hold for rule in rules)
        self._batch = self._hold // 4 if self._hold >= LONG_HOLD else 1
        self._waiting = ""  # what no rule has looked at yet
        self._kept = ""  # the end of what went out, then what is held back
        self._out = 0  # how much of `_kept` went out
        self._begins = True
        self.breach: Breach | None = None

    def feed(self, piece: str) -> str:
        """Take in the next piece; gives what may go out now. Where much is held back anyhow, some pieces are looked at
        together."""
        self._waiting += piece
        if len(self._waiting) < self._batch:
            return ""
        piece, self._waiting = self._waiting, ""
        return self._pass(piece, final=False)

    def finish(self) -> str:
        """The text is over; gives what was held back."""
        piece, self._waiting = self._waiting, ""
        return self._pass(piece, final=True)

    def _pass(self, piece: str, *, final: bool) -> str:
        if self.breach is not None:
            return ""
        fresh = len(self._kept)
        self._kept += piece
        read = fold(self._kept)
        window = Window(read.text, begins=self._begins, final=final, fresh=read.now(fresh))
        hits = [hit for hit in _hits(self._rules, window, read) if hit.end > self._out]
        edge = len(self._kept) if final else max(self._out, len(self._kept) - self._hold)
        if hits:
            first = min(hits, key=lambda hit: hit.start)
            self.breach = Breach(first, self._kept)
            edge = max(self._out, first.start)
        passed = self._kept[self._out : edge]
        self._out = edge
        self._forget()
        return passed

    def _forget(self) -> None:
        """Keep only what a rule may look back at."""
        cut = self._out - self._hold
        if cut <= LONGEST_WORD:
            return
        space = self._kept.rfind(" ", cut - LONGEST_WORD, cut)
        cut = space if space > 0 else cut
        self._kept, self._out, self._begins = self._kept[cut:], self._out - cut, False


def first_breach(text: str, rules: Sequence[Rule]) -> Breach | None:
    """The first place of a whole text that breaks a rule."""
    read = fold(text)
    hits = _hits(rules, Window(read.text), read)
    return Breach(min(hits, key=lambda hit: hit.start), text) if hits else None


def _hits(rules: Sequence[Rule], window: Window, read: Folded) -> list[Hit]:
    """The first hit of each rule, where it stands in the text as it was written."""
    found = [hit for rule in rules if (hit := rule.first(window))]
    places = [read.was(hit.start, hit.end) for hit in found]
    return [replace(hit, start=start, end=end) for hit, (start, end) in zip(found, places, strict=True)]
