"""Reading how requests went over time: latencies, rates, spend, and how busy the machine was. Percentiles are exact.

Times of day are cut into slots of one length; a slot without requests has no latency.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, F, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from serving_app.models import Completion, CompletionState, ResourceSample, UsageDaily, UsageEvent
from serving_app.selectors.slots import Listed, by_slot, listed
from serving_app.selectors.usage import BILLED

MOST_ROWS = 100_000
RANKS = (50, 95, 99)
# Columns of samples, where a slot keeps them, and in which unit.
SAMPLED = {
    "cpu_percent": ("cpu", 1.0),
    "memory_percent": ("memory", 1.0),
    "running": ("running", 1.0),
    "waiting": ("waiting", 1.0),
    "cache_percent": ("cache", 1.0),
    "engine_cpu_percent": ("engine_cpu", 1.0),
    "engine_memory_bytes": ("engine_gib", 1 / 2**30),
    "gpu_memory_percent": ("gpu_memory", 1.0),
    "gpu_busy_percent": ("gpu_busy", 1.0),
}


def percentile(ordered: Sequence[float], rank: int) -> float | None:
    """The smallest value that at least `rank` percent do not pass; None for no values."""
    return ordered[max(0, math.ceil(len(ordered) * rank / 100) - 1)] if ordered else None


@dataclass(slots=True)
class Slot:
    """What happened between two moments. Lists are in milliseconds, the shortest first; of samples there is the mean."""

    begins: datetime
    ended: int = 0
    failed: int = 0
    cancelled: int = 0
    tokens: int = 0
    cost_micro: int = 0
    whole: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    gateway: list[float] = field(default_factory=list)
    cpu: float | None = None
    memory: float | None = None
    running: float | None = None
    waiting: float | None = None
    cache: float | None = None
    engine_cpu: float | None = None
    engine_gib: float | None = None
    gpu_memory: float | None = None
    gpu_busy: float | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """A span in slots, and the whole of it. `is_cut`: there were more requests than are looked at."""

    slots: list[Slot]
    length: timedelta
    whole: list[float]
    first: list[float]
    gateway: list[float]
    errors: list[tuple[str, int]]
    is_cut: bool

    def total(self, name: str) -> int:
        return sum(getattr(slot, name) for slot in self.slots)


def watch(workspace_id: str, *, span: timedelta, slots: int) -> Watch:
    """The workspace's last `span`, in as many slots. What an engine refused for the caller's mistake is left out."""
    length, now = span / slots, timezone.now()
    since = now - span
    found = [Slot(since + length * number) for number in range(slots)]
    asked, is_cut = _newest(workspace_id, since)
    rows = asked.filter(model__isnull=False).exclude(state=CompletionState.REFUSED)
    own, answered = Coalesce("gateway_us", 0), ~Q(state=CompletionState.FAILED)
    for row in by_slot(
        rows, "created_at", since=since, length=length,
        ended=Count("id", filter=~Q(state=CompletionState.RUNNING)),
        failed=Count("id", filter=~answered),
        cancelled=Count("id", filter=Q(state=CompletionState.CANCELLED)),
        whole=Listed(1000 * F("total_ms") + own, filter=answered),
        first=Listed(1000 * F("first_token_ms") + own, filter=answered),
        gateway=Listed("gateway_us"),
    ):  # fmt: skip
        slot = _slot(found, row)
        slot.ended, slot.failed, slot.cancelled = row["ended"], row["failed"], row["cancelled"]
        slot.whole, slot.first, slot.gateway = (
            listed(row[name], scale=0.001) for name in ("whole", "first", "gateway")
        )
    failed = rows.filter(state=CompletionState.FAILED) if any(slot.failed for slot in found) else rows.none()
    codes = failed.order_by().values_list("error_code").annotate(n=Count("id")).order_by("-n", "error_code")
    errors = [(code or "broken off", count) for code, count in codes[:8]]
    _add_spend(workspace_id, found, since, length)
    _add_samples(found, since, length)
    ordered = {name: sorted(v for slot in found for v in getattr(slot, name)) for name in ("whole", "first", "gateway")}
    return Watch(found, length, errors=errors, is_cut=is_cut, **ordered)


def _slot(found: Sequence[Slot], row: dict[str, Any]) -> Slot:
    number: int = row["slot"]
    return found[min(len(found) - 1, max(0, number))]  # what came while we asked is in the last


def _newest(workspace_id: str, since: datetime) -> tuple[QuerySet[Completion], bool]:
    """The newest MOST_ROWS requests since then, and whether that leaves some out."""
    rows = Completion.objects.filter(workspace_id=workspace_id, created_at__gt=since)
    last = rows.order_by("-created_at").values_list("created_at", flat=True)[MOST_ROWS : MOST_ROWS + 1].first()
    return (rows, False) if last is None else (rows.filter(created_at__gt=last), True)


def watch_counts(workspace_id: str, *, span: timedelta) -> tuple[int, int]:
    """How many requests of the last `span` have ended and failed, counted by the database: tells whether to look."""
    since = timezone.now() - span
    rows = Completion.objects.filter(workspace_id=workspace_id, model__isnull=False, created_at__gt=since)
    found = rows.aggregate(
        ended=Count("id", filter=~Q(state__in=[CompletionState.RUNNING, CompletionState.REFUSED])),
        failed=Count("id", filter=Q(state=CompletionState.FAILED)),
    )
    return found["ended"], found["failed"]


def _add_spend(workspace_id: str, found: Sequence[Slot], since: datetime, length: timedelta) -> None:
    rows = UsageEvent.objects.filter(workspace_id=workspace_id, kind__in=BILLED, at__gt=since)
    cost, tokens = Sum("cost_micro"), Sum(F("prompt_tokens") + F("completion_tokens"))
    for row in by_slot(rows, "at", since=since, length=length, cost=cost, tokens=tokens):
        slot = _slot(found, row)
        slot.cost_micro, slot.tokens = row["cost"], row["tokens"]


def _add_samples(found: Sequence[Slot], since: datetime, length: timedelta) -> None:
    means = {f"mean_{name}": Avg(column) for column, (name, _scale) in SAMPLED.items()}
    for row in by_slot(ResourceSample.objects.filter(at__gt=since), "at", since=since, length=length, **means):
        slot = _slot(found, row)
        for name, scale in SAMPLED.values():
            if (mean := row[f"mean_{name}"]) is not None:
                setattr(slot, name, mean * scale)


def latest_sample() -> ResourceSample | None:
    """The newest look at the machine."""
    return ResourceSample.objects.first()


def ledger_by_model() -> list[dict[str, Any]]:
    """Everything ever billed, of all workspaces, by model."""
    names = ("prompt_tokens", "cached_tokens", "completion_tokens", "cost_micro")
    rows = UsageDaily.objects.order_by().values("model_name")
    return [dict(row) for row in rows.annotate(**{name: Sum(name) for name in names})]


def open_reservations() -> tuple[int, float]:
    """How many requests are open in all workspaces, and how many seconds the oldest has been."""
    found = Completion.objects.filter(state=CompletionState.RUNNING).aggregate(
        count=Count("id"), oldest=Min("created_at")
    )
    oldest = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    return found["count"], oldest
