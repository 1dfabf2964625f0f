"""Leases: how exactly one worker comes to own a job, and how a dead worker loses it.

A job is claimed by one conditional UPDATE. Every claim raises `attempt`, the fencing number that every later write
must carry; a worker that lost its lease writes nothing any more. Times are the database server's business only in
so far as all processes of one studio share a clock to within a few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q, QuerySet
from django.utils import timezone

LEASE = timedelta(seconds=20)
PACE = LEASE / 8


class Leased(models.Model):
    """What a row needs to be worked on: who holds it, until when, for the how-many-th time."""

    attempt = models.PositiveIntegerField(default=0)
    lease_holder = models.CharField(max_length=80, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


def claim(queryset: QuerySet[Any], *, holder: str, **changes: object) -> int:
    """Take the row(s) of `queryset` that nobody holds. Returns how many were taken (0 or 1 for a primary key)."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return queryset.filter(free).update(
        attempt=F("attempt") + 1, lease_holder=holder, lease_until=now + LEASE, **changes
    )


def renew(queryset: QuerySet[Any], *, attempt: int) -> bool:
    """Prolong the lease of one row. False when a newer attempt has taken it: stop working."""
    return bool(queryset.filter(attempt=attempt).update(lease_until=timezone.now() + LEASE))


def paced(beat: Callable[[], object]) -> Callable[[], None]:
    """A heartbeat for work that can give one at every megabyte: what it returns calls `beat` every PACE and no oftener."""
    last = time.monotonic()

    def paced_beat() -> None:
        nonlocal last
        if time.monotonic() - last >= PACE.total_seconds():
            beat()
            last = time.monotonic()

    return paced_beat


def note(queryset: QuerySet[Any], row: Any, *, progress: dict[str, Any]) -> bool:
    """Heartbeat of one row that can be cancelled, with where its work stands. False when the work should stop: it was
    cancelled by a person, or taken over by another worker."""
    if not renew(queryset, attempt=row.attempt):
        return False
    if progress != row.progress:
        queryset.filter(attempt=row.attempt).update(progress=progress)
        row.progress = progress
    return not queryset.filter(cancel_requested=True).exists()


def held(queryset: QuerySet[Any], *, attempt: int) -> bool:
    """Lock one row within a transaction, so that nobody takes it over before the end. False when somebody has."""
    return queryset.select_for_update().filter(attempt=attempt).first() is not None


def release(queryset: QuerySet[Any], *, attempt: int, **changes: object) -> bool:
    """Give the row back, with its outcome. False when the lease was lost: nothing was written."""
    return bool(queryset.filter(attempt=attempt).update(lease_holder="", lease_until=None, **changes))


def expired(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Rows whose holder has stopped renewing."""
    return queryset.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=timezone.now()))
