"""Reading how requests went over time: latencies, rates, spend, and how busy the machine was. Percentiles are exact.

Times of day are cut into slots of one length; a slot without requests has no latency.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from serving_app.models import Completion, CompletionState, ResourceSample, UsageDaily, UsageEvent
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
    """What happened between two moments. Times are in milliseconds."""

    begins: datetime
    ended: int = 0
    failed: int = 0
    cancelled: int = 0
    tokens: int = 0
    cost_micro: int = 0
    whole: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    gateway: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    running: list[float] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)
    cache: list[float] = field(default_factory=list)
    engine_cpu: list[float] = field(default_factory=list)
    engine_gib: list[float] = field(default_factory=list)
    gpu_memory: list[float] = field(default_factory=list)
    gpu_busy: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Watch:
    """A span in slots, and the whole of it. `is_cut`: there were more requests or bills than are looked at."""

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

    def slot_at(moment: datetime) -> Slot:
        return found[min(slots - 1, max(0, int((moment - since) / length)))]

    answers = Completion.objects.filter(workspace_id=workspace_id, model__isnull=False, created_at__gt=since)
    rows = answers.exclude(state=CompletionState.REFUSED)
    columns = ("created_at", "state", "error_code", "total_ms", "first_token_ms", "gateway_us")
    seen = list(rows.order_by("-created_at").values_list(*columns)[: MOST_ROWS + 1])
    codes: Counter[str] = Counter()
    for at, state, code, whole_ms, first_ms, gateway_us in seen[:MOST_ROWS]:
        slot = slot_at(at)
        slot.ended += state != CompletionState.RUNNING
        slot.cancelled += state == CompletionState.CANCELLED
        if state == CompletionState.FAILED:
            slot.failed += 1
            codes[code or "broken off"] += 1
        own = (gateway_us or 0) / 1000
        for values, value in ((slot.whole, whole_ms), (slot.first, first_ms)):
            if value is not None and state != CompletionState.FAILED:
                values.append(value + own)
        if gateway_us is not None:
            slot.gateway.append(own)
    is_cut = _add_spend(workspace_id, since, slot_at) or len(seen) > MOST_ROWS
    _add_samples(since, slot_at)
    ordered = {name: sorted(v for slot in found for v in getattr(slot, name)) for name in ("whole", "first", "gateway")}
    return Watch(found, length, errors=codes.most_common(8), is_cut=is_cut, **ordered)


def watch_counts(workspace_id: str, *, span: timedelta) -> tuple[int, int]:
    """How many requests of the last `span` have ended and failed, counted by the database: tells whether to look."""
    since = timezone.now() - span
    rows = Completion.objects.filter(workspace_id=workspace_id, model__isnull=False, created_at__gt=since)
    found = rows.aggregate(
        ended=Count("id", filter=~Q(state__in=[CompletionState.RUNNING, CompletionState.REFUSED])),
        failed=Count("id", filter=Q(state=CompletionState.FAILED)),
    )
    return found["ended"], found["failed"]


def _add_spend(workspace_id: str, since: datetime, slot_at: Any) -> bool:
    """Whether there were more bills than are looked at."""
    billed = UsageEvent.objects.filter(workspace_id=workspace_id, kind__in=BILLED, at__gt=since).order_by("-at")
    columns = ("at", "cost_micro", "prompt_tokens", "completion_tokens")
    seen = list(billed.values_list(*columns)[: MOST_ROWS + 1])
    for at, cost, prompt, completion in seen[:MOST_ROWS]:
        slot = slot_at(at)
        slot.cost_micro += cost
        slot.tokens += prompt + completion
    return len(seen) > MOST_ROWS


def _add_samples(since: datetime, slot_at: Any) -> None:
    for at, *values in ResourceSample.objects.filter(at__gt=since).values_list("at", *SAMPLED):
        slot = slot_at(at)
        for (name, scale), value in zip(SAMPLED.values(), values, strict=True):
            if value is not None:
                getattr(slot, name).append(value * scale)


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
