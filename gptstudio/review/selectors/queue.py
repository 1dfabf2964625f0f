"""The queue as one reviewer sees it: what waits, what is theirs, what was decided, and how long that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Case, IntegerField, Min, Q, QuerySet, Value, When
from django.utils import timezone

from gptstudio.review.models import ReviewDecision, ReviewItem, ReviewState

TABS = ("pending", "mine", "decided")
MEASURED_DAYS = 30
MOST_MEASURED = 10_000  # decisions, the newest
FURTHEST = 2_000  # items through which one steps without going back to the list


@dataclass(frozen=True, slots=True)
class Desk:
    """Who looks: `holder` as claims name them, the workspaces that they review in, and those of which they are admin."""

    holder: str
    workspaces: Sequence[str]
    admin_in: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands in a list: `number` of `total` (0: not among its first), and what lies beside it."""

    number: int
    total: int
    before: str = ""
    after: str = ""


def queue(desk: Desk, tab: str, *, kind: str = "", wanted: str = "") -> QuerySet[ReviewItem]:
    """One tab. What waits: to admins what was handed up to them first, to others last; then who waits longest. What was
    decided: the newest first.
    """
    rows = ReviewItem.objects.filter(workspace_id__in=desk.workspaces).select_related("workspace")
    if kind:
        rows = rows.filter(kind=kind)
    if wanted:
        rows = rows.filter(
            Q(title__icontains=wanted) | Q(requested_by__icontains=wanted) | Q(subject_id__icontains=wanted)
        )
    if tab == "decided":
        return rows.exclude(state=ReviewState.PENDING).order_by("-decided_at", "-id")
    rows = rows.filter(state=ReviewState.PENDING)
    if tab == "mine":
        rows = rows.filter(claimed_by=desk.holder, claimed_until__gt=timezone.now())
    handed_up = When(escalated_at__isnull=False, workspace_id__in=desk.admin_in, then=Value(0))
    for_all = When(escalated_at__isnull=True, then=Value(1))
    rank = Case(handed_up, for_all, default=Value(2), output_field=IntegerField())
    return rows.alias(rank=rank).order_by("rank", "waiting_since", "id")


def counts(desk: Desk) -> dict[str, int]:
    """How many stand in each tab."""
    return {tab: queue(desk, tab).order_by().count() for tab in TABS}


def kinds_in(desk: Desk) -> list[str]:
    """The kinds of items that there are."""
    rows = ReviewItem.objects.filter(workspace_id__in=desk.workspaces).order_by("kind")
    return list(rows.values_list("kind", flat=True).distinct())


def workspaces_of(desk: Desk, item_ids: Sequence[str]) -> dict[str, list[str]]:
    """These items by their workspace, in the order given; those that are not this desk's are left out."""
    rows = ReviewItem.objects.filter(workspace_id__in=desk.workspaces, id__in=item_ids)
    owners = dict(rows.values_list("id", "workspace_id"))
    found: dict[str, list[str]] = {}
    for item_id in item_ids:
        if item_id in owners:
            found.setdefault(owners[item_id], []).append(item_id)
    return found


def place_of(item: ReviewItem, rows: QuerySet[ReviewItem]) -> Place:
    """Where an item stands in a tab, among its first; what is not there lies before them all."""
    ids = list(rows.values_list("id", flat=True)[:FURTHEST])
    if item.id not in ids:
        return Place(0, len(ids), after=ids[0] if ids else "")
    at = ids.index(item.id)
    after = ids[at + 1] if at + 1 < len(ids) else ""
    return Place(at + 1, len(ids), before=ids[at - 1] if at else "", after=after)


def oldest_waiting(desk: Desk) -> datetime | None:
    """Since when the one waits that waits longest."""
    rows = ReviewItem.objects.filter(workspace_id__in=desk.workspaces, state=ReviewState.PENDING)
    oldest: datetime | None = rows.aggregate(oldest=Min("waiting_since"))["oldest"]
    return oldest


def median_wait(workspaces: Sequence[str]) -> tuple[timedelta | None, int]:
    """Half of what people decided in the last MEASURED_DAYS had waited for no longer than this; of how many decisions."""
    since = timezone.now() - timedelta(days=MEASURED_DAYS)
    rows = ReviewDecision.objects.filter(
        item__workspace_id__in=workspaces, at__gte=since, waited_seconds__isnull=False
    ).order_by("-at")
    waits = [
        seconds for seconds in rows.values_list("waited_seconds", flat=True)[:MOST_MEASURED] if seconds is not None
    ]
    return (timedelta(seconds=median(waits)) if waits else None), len(waits)
