"""Opening items and deciding them, under the workspace's release policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts import policies
from gptstudio.accounts.models import ReleasePolicy
from gptstudio.accounts.policies import Actor
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict, Invalid, NotAllowed
from gptstudio.notify.services import tell
from gptstudio.review.models import TRANSITIONS, ReviewDecision, ReviewItem, ReviewState


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
            state=ReviewState.PENDING, decided_at=None, evidence=evidence, requested_by=actor.label
        )
        item.refresh_from_db()
        created = True
    if created:
        record(
            actor,
            workspace_id=workspace_id,
            action="review.requested",
            subject_kind=kind,
            subject_id=subject_id,
            subject_label=title,
        )
        _tell(item, "review.opened", f"Waits for a reviewer: {item.title}", requested_by=item.requested_by)
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


def _tell(item: ReviewItem, event: str, title: str, **data: str) -> None:
    subject = {"id": item.id, "kind": item.kind, "subject": item.subject_id, "title": item.title}
    tell(workspace_id=item.workspace_id, event=event, title=title, data=subject | data)


def check_may_decide(actor: Actor, *, item: ReviewItem, policy: str, verdict: str) -> None:
    """Raise NotAllowed unless the workspace's policy lets this actor decide this item so. Whoever made a thing may always
    say no to it: nobody is kept from stopping their own.
    """
    if actor.kind == "policy":
        if policy != ReleasePolicy.AUTOMATIC:
            raise NotAllowed("The workspace's release policy asks for a person's decision.")
        return
    inside = actor.workspace_id == item.workspace_id
    is_maker = inside and actor.user_id in item.makers
    is_no = verdict == ReviewState.REJECTED
    if is_maker and is_no and actor.may("models.take_back"):
        return
    if is_maker and policy == ReleasePolicy.SELF and actor.may("models.request_release"):
        return
    policies.require(actor, "reviews.decide", workspace_id=item.workspace_id)
    if not is_no and policy == ReleasePolicy.TWO_PERSON and (actor.user_id is None or is_maker):
        raise NotAllowed(
            "You made this yourself, and this workspace wants a second person.",
            fix="Ask another reviewer or an admin to decide.",
        )


@transaction.atomic
def decide(actor: Actor, *, item: ReviewItem, verdict: str, reason: str) -> ReviewDecision:
    """Approve or reject, with a reason. The item is locked, so two reviewers cannot both decide it."""
    item = ReviewItem.objects.select_for_update().select_related("workspace").get(id=item.id)
    check_may_decide(actor, item=item, policy=item.workspace.release_policy, verdict=verdict)
    _check_reason(reason)
    if verdict not in (ReviewState.APPROVED, ReviewState.REJECTED):
        raise Invalid(f"{verdict!r} is not a decision.", fix="Choose approved or rejected.", param="verdict")
    if item.state == verdict:
        raise Conflict(f"This was {verdict} already.", fix="Reload the page to see by whom.")
    TRANSITIONS.check(item.state, verdict, noun="item")
    item.state, item.decided_at = verdict, timezone.now()
    item.save(update_fields=["state", "decided_at"])
    decision = _note(actor, item, verdict=verdict, action=f"review.{verdict}", reason=reason)
    said = {"verdict": verdict, "reason": decision.reason, "decided_by": actor.label}
    _tell(item, "review.decided", f"{ReviewState(verdict).label}: {item.title}", **said)
    return decision


@transaction.atomic
def reopen(actor: Actor, *, item: ReviewItem, reason: str) -> ReviewDecision:
    """Put what was rejected back in the queue, with a reason: a slip, or something has changed since."""
    item = ReviewItem.objects.select_for_update().get(id=item.id)
    policies.require(actor, "reviews.decide", workspace_id=item.workspace_id)
    _check_reason(reason)
    TRANSITIONS.check(item.state, ReviewState.PENDING, noun="item")
    item.state, item.decided_at = ReviewState.PENDING, None
    item.save(update_fields=["state", "decided_at"])
    decision = _note(actor, item, verdict=ReviewState.PENDING, action="review.reopened", reason=reason)
    _tell(item, "review.opened", f"Waits for a reviewer again: {item.title}", requested_by=item.requested_by)
    return decision


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("The decision has no reason.", fix="Say in a sentence why.", param="reason")


def _note(actor: Actor, item: ReviewItem, *, verdict: str, action: str, reason: str) -> ReviewDecision:
    """Write down what was decided, beside the item and in the audit log."""
    decision = ReviewDecision.objects.create(
        item=item,
        verdict=verdict,
        reason=reason.strip(),
        decided_by_id=actor.user_id if actor.kind == "user" else None,
        decided_by_label=actor.label,
    )
    record(
        actor,
        workspace_id=item.workspace_id,
        action=action,
        subject_kind=item.kind,
        subject_id=item.subject_id,
        subject_label=item.title,
        data={"reason": decision.reason},
    )
    return decision
