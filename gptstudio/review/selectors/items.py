"""Reading the queue, and the gate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from gptstudio.core.errors import NotFound
from gptstudio.core.statements import Reading
from gptstudio.review.models import ReviewDecision, ReviewItem, ReviewState

_APPROVED = Reading(
    lambda subject_id, kind: ReviewItem.objects.filter(
        subject_id=subject_id, kind=kind, state=ReviewState.APPROVED
    ).values_list("id")[:1],
    str,
    str,
)


def items_of(workspace_id: str) -> QuerySet[ReviewItem]:
    """The workspace's items, newest first."""
    return ReviewItem.objects.filter(workspace_id=workspace_id)


def pending_in(workspace_id: str) -> QuerySet[ReviewItem]:
    """What waits for someone."""
    return items_of(workspace_id).filter(state=ReviewState.PENDING)


def item_of(workspace_id: str, item_id: str) -> ReviewItem:
    """One item of the workspace."""
    found = items_of(workspace_id).filter(id=item_id).first()
    if found is None:
        raise NotFound(f"There is no review item {item_id} in this workspace.")
    return found


def item_about(subject_id: str, *, kind: str) -> ReviewItem | None:
    """The item about a subject, if one was opened."""
    return ReviewItem.objects.filter(subject_id=subject_id, kind=kind).first()


def pending_alike(workspace_id: str, *, kind: str, alike: str) -> ReviewItem | None:
    """The item that waits and whose evidence says that it is of these; None: a new one is due."""
    return pending_in(workspace_id).filter(kind=kind, evidence__alike=alike).first()


def items_quoting(kinds: Iterable[str], *, before: datetime) -> QuerySet[ReviewItem]:
    """Items of these kinds, of all workspaces, from before that time and with all that they quote still in them."""
    old = ReviewItem.objects.filter(kind__in=list(kinds), created_at__lt=before)
    return old.exclude(evidence__has_key="gone").order_by("created_at")


def last_decision(item: ReviewItem | None) -> ReviewDecision | None:
    """What was decided last about an item, by whom and why."""
    return item.decisions.first() if item is not None else None


def decisions_about(item: ReviewItem | None) -> list[ReviewDecision]:
    """All that was decided about an item, the last first."""
    return list(item.decisions.all()) if item is not None else []


def is_rejected(subject_id: str, *, kind: str) -> bool:
    """Whether the last word on the subject was no."""
    return ReviewItem.objects.filter(kind=kind, subject_id=subject_id, state=ReviewState.REJECTED).exists()


def rejected_ids(workspace_id: str, *, kind: str) -> set[str]:
    """The subjects of a workspace of which the last word was no."""
    rejected = ReviewItem.objects.filter(workspace_id=workspace_id, kind=kind, state=ReviewState.REJECTED)
    return set(rejected.values_list("subject_id", flat=True))


def is_cleared(subject_id: str, *, kind: str) -> bool:
    """The gate: whether the subject was approved, and is so still."""
    return bool(_APPROVED.rows(subject_id, kind))
