"""Opening items, and what they quote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts.policies import Actor
from gptstudio.review.models import UNHELD, ReviewItem, ReviewState
from gptstudio.review.services.noting import note, tell_of


@transaction.atomic
def open_item(
    actor: Actor,
    *,
    workspace_id: str,
    kind: str,
    subject_id: str,
    title: str,
    evidence: dict[str, Any],
    makers: Sequence[str],
) -> ReviewItem:
    """Ask for a decision about a subject. Asking again while one waits changes nothing; after a "no" it waits again."""
    item, created = ReviewItem.objects.get_or_create(
        kind=kind,
        subject_id=subject_id,
        defaults={
            "workspace_id": workspace_id,
            "title": title[:200],
            "evidence": evidence,
            "makers": sorted(set(makers)),
            "requested_by": actor.label,
        },
    )
    if not created and item.state == ReviewState.REJECTED:
        ReviewItem.objects.filter(id=item.id).update(
            state=ReviewState.PENDING,
            decided_at=None,
            evidence=evidence,
            requested_by=actor.label,
            waiting_since=timezone.now(),
            **UNHELD,
        )
        item.refresh_from_db()
        created = True
    if created:
        note(actor, item, action="review.requested")
        tell_of(item, "review.opened", f"Waits for a reviewer: {item.title}", requested_by=item.requested_by)
    return item


def update_evidence(item: ReviewItem, *, evidence: dict[str, Any]) -> None:
    """More was seen of the same while it waits; once decided, what was decided on stays as it was."""
    ReviewItem.objects.filter(id=item.id, state=ReviewState.PENDING).update(evidence=evidence)


@transaction.atomic
def forget_evidence(item_id: str, *, forget: Callable[[dict[str, Any]], dict[str, Any]]) -> bool:
    """Leave of an item's evidence what `forget` gives, decided or not. False where that is all of it."""
    item = ReviewItem.objects.select_for_update().get(id=item_id)
    left = forget(item.evidence)
    if left == item.evidence:
        return False
    ReviewItem.objects.filter(id=item_id).update(evidence=left)
    return True
