"""Which row of the cache belongs to whom: decoding rows first, then rows reading their prompt, then kept rows.

Decoding rows stay together at the front so that a step runs on a plain slice of the cache. Rows of finished sequences
stay behind as a prefix cache: a new prompt of the same scope that begins with the same tokens takes them over. Knows
token lists and row numbers; refuses to know requests and sampling.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

# Fewer shared tokens than this are computed faster than rows are moved.
SHORTEST_PREFIX = 16


class RowStore(Protocol):
    """What the table needs of the cache."""

    def reserve(self, *, rows: int, length: int) -> None: ...
    def swap(self, one: int, other: int, *, length: int) -> None: ...
    def copy(self, source: int, target: int, *, length: int) -> None: ...


@dataclass(slots=True, eq=False)
class Row:
    """One row's tokens whose keys and values are computed, and where the row lies now."""

    at: int
    tokens: list[int] = field(default_factory=list)
    adapter: int = 0
    scope: str = ""
    used: int = 0


class RowTable:
    """Rows 0 to `decoding` - 1 decode, up to `live` - 1 prefill, the rest are kept or empty."""

    def __init__(self, store: RowStore, *, slots: int) -> None:
        self._store = store
        self._rows = [Row(at) for at in range(slots)]
        self._clock = 0
        self.decoding = 0
        self.live = 0

    @property
    def full(self) -> bool:
        """Whether every row is taken by a running sequence."""
        return self.live == len(self._rows)

    def take(self, prompt: list[int], *, adapter: int = 0, scope: str = "") -> tuple[Row, int]:
        """A row for this prompt and how many of its first tokens are computed already, with the same adapter.

        Nothing is shared between scopes: how much was found tells whoever asks what others have asked. At least the last
        prompt token is always left to compute, since its logits are needed.
        """
        donor, shared = self._best_donor(prompt, adapter, scope)
        fresh = self._victim() if donor is None or donor.at < self.live else donor
        self._store.reserve(rows=fresh.at + 1, length=max(len(prompt), 1))
        self._swap(fresh.at, self.live)
        if donor is not None and donor is not fresh:
            self._store.copy(donor.at, fresh.at, length=shared)
        fresh.tokens, fresh.adapter, fresh.scope = prompt[:shared], adapter, scope
        self.live += 1
        return fresh, shared

    def start_decoding(self, row: Row) -> None:
        """Move a row whose prompt is done to the decoding rows."""
        self._swap(row.at, self.decoding)
        self.decoding += 1

    def give_back(self, row: Row) -> None:
        """Close the gap that a finished row leaves; its tokens stay for later prompts."""
        self._clock += 1
        row.used = self._clock
        if row.at < self.decoding:
            self.decoding -= 1
            self._swap(row.at, self.decoding)
        self.live -= 1
        self._swap(row.at, self.live)

    def forget(self) -> None:
        """Drop every row's contents, after a failed pass left them in doubt."""
        self.decoding = self.live = 0
        for row in self._rows:
            row.tokens = []

    def _best_donor(self, prompt: list[int], adapter: int, scope: str) -> tuple[Row | None, int]:
        best, longest = None, SHORTEST_PREFIX - 1
        for row in self._rows:
            if row.adapter != adapter or row.scope != scope:
                continue
            shared = min(shared_prefix(row.tokens, prompt), len(prompt) - 1)
            # Of equally good rows a kept one is better: it is taken over without a copy.
            if shared > longest or (shared == longest and best is not None and row.at >= self.live > best.at):
                best, longest = row, shared
        return best, longest if best is not None else 0

    def _victim(self) -> Row:
        """An empty row, else the kept row that was left longest ago."""
        return min(self._rows[self.live :], key=lambda row: (bool(row.tokens), row.used, row.at))

    def _swap(self, one: int, other: int) -> None:
        if one == other:
            return
        first, second = self._rows[one], self._rows[other]
        length = max(len(first.tokens), len(second.tokens))
        if length:
            self._store.reserve(rows=max(one, other) + 1, length=length)
            self._store.swap(one, other, length=length)
        self._rows[one], self._rows[other] = second, first
        first.at, second.at = other, one


def shared_prefix(one: list[int], other: list[int]) -> int:
    """Number of equal tokens at the start of both lists."""
    limit = min(len(one), len(other))
    if one[:limit] == other[:limit]:
        return limit
    return next(at for at in range(limit) if one[at] != other[at])
