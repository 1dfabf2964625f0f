"""How a key stands to its limits: requests and tokens of the last minute, requests that are open. Read from the log.

A request counts from the moment it was let in: with the most tokens it can take while it runs, then with what it took.
Refused requests count nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from serving_app.models import Completion, CompletionState

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a key may do; None: no limit."""

    requests: int | None = None
    tokens: int | None = None
    parallel: int | None = None

    @property
    def by_minute(self) -> bool:
        return bool(self.requests or self.tokens)


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit a minute. `free_in`: seconds until there is room for the request that asked; `reset_in`: until all is."""

    limit: int
    used: int
    free_in: float = 0.0
    reset_in: float = MINUTE

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Standing:
    """A key's rates; None where it has no such limit."""

    requests: Rate | None = None
    tokens: Rate | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """One request of the last minute: how long ago, in seconds, and its tokens."""

    attempt_id: str
    ago: float
    tokens: int


def window_of(api_key_id: str) -> list[Taken]:
    """A key's requests of the last minute, oldest first."""
    now = timezone.now()
    rows = Completion.objects.filter(api_key_id=api_key_id, created_at__gt=now - timedelta(seconds=MINUTE))
    found = rows.order_by("created_at").values_list("id", "created_at", "counted_tokens")
    return [Taken(attempt, (now - at).total_seconds(), tokens) for attempt, at, tokens in found]


def rate_in(window: Iterable[Taken], *, limit: int, wanted: int, tokens: bool) -> tuple[Rate, bool]:
    """The rate with `wanted` more, and whether they fit. What does not fit is not counted in."""
    taken = [(each.ago, each.tokens if tokens else 1) for each in window]
    used = sum(count for _, count in taken)
    if used + wanted <= limit:
        return Rate(limit, used + wanted), True
    over, free_in = used + wanted - limit, 0.0
    for ago, count in taken:
        if over <= 0:
            break
        over, free_in = over - count, MINUTE - ago
    return Rate(limit, used, free_in, MINUTE - min((ago for ago, _ in taken), default=MINUTE)), False


def open_count(api_key_id: str) -> int:
    """A key's requests that have not ended. One whose process died ends when the reaper has seen the journal."""
    return Completion.objects.filter(api_key_id=api_key_id, state=CompletionState.RUNNING).count()
