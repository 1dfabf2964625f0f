"""Who holds an item while it waits, so that two do not look at the same; and handing it up to the admins, and back."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts import policies
from gptstudio.accounts.policies import Actor
from gptstudio.core.errors import Conflict, NotAllowed
from gptstudio.review.models import NOT_HANDED_UP, UNHELD, ReviewItem, ReviewState
from gptstudio.review.services.noting import check_reason, note, tell_of

CLAIM_TIME = timedelta(minutes=15)


def holder_of(actor: Actor) -> str:
    """Whose claim it would be: a person's, also through their keys; a key's own where the studio made it."""
    return actor.user_id or actor.id


def check_not_claimed(actor: Actor, item: ReviewItem) -> None:
    """Raise Conflict where somebody else holds the item."""
    if item.is_claimed and not item.is_claimed_by(holder_of(actor)):
        raise Conflict(
            f"{item.claimed_by_label} has taken this item.",
            fix="It comes free when they decide or let go of it, or 15 minutes after they took it. "
            "An admin may take it over.",
            code="claimed",
        )


@transaction.atomic
def claim_item(actor: Actor, *, item: ReviewItem, take_over: bool = False) -> ReviewItem:
    """Take an item for CLAIM_TIME; taken again by who holds it, the time begins anew. Of two at once, one gets it.

    With `take_over` an admin gets it from whoever holds it.
    """
    item = _waiting(actor, item)
    if item.escalated_at is not None and not actor.may("reviews.take_over"):
        raise NotAllowed("This was handed up to the admins.", fix="One of them decides, or hands it back.")
    before = item.claimed_by_label if item.is_claimed else ""
    is_mine = item.is_claimed_by(holder_of(actor))
    if before and not is_mine and take_over:
        policies.require(actor, "reviews.take_over", workspace_id=item.workspace_id)
    else:
        check_not_claimed(actor, item)
    item.claimed_by, item.claimed_by_label = holder_of(actor), actor.label[:200]
    item.claimed_until = timezone.now() + CLAIM_TIME
    item.save(update_fields=["claimed_by", "claimed_by_label", "claimed_until"])
    if before and not is_mine:
        note(actor, item, action="review.taken_over", before=before)
    elif not is_mine:
        note(actor, item, action="review.claimed")
    return item


@transaction.atomic
def release_item(actor: Actor, *, item: ReviewItem) -> ReviewItem:
    """Let go of an item, also of another's where one may take it over. What nobody holds stays as it is."""
    item = _waiting(actor, item)
    if not item.is_claimed:
        return item
    if not actor.may("reviews.take_over"):
        check_not_claimed(actor, item)
    before = item.claimed_by_label
    _put(item, "claimed_by", "claimed_by_label", "claimed_until")
    note(actor, item, action="review.released", before=before)
    return item


@transaction.atomic
def escalate_item(actor: Actor, *, item: ReviewItem, reason: str) -> ReviewItem:
    """Hand an item up: from now on admins alone decide it, and see it first. It waits on, and nobody holds it."""
    item = _waiting(actor, item)
    why = check_reason(reason)
    check_not_claimed(actor, item)
    if item.escalated_at is not None:
        raise Conflict("This was handed up to the admins already.", fix="Reload the page to see by whom.")
    _put(item, "claimed_by", "claimed_by_label", "claimed_until")
    item.escalated_at, item.escalated_by_label, item.escalation_reason = timezone.now(), actor.label[:200], why
    item.save(update_fields=["escalated_at", "escalated_by_label", "escalation_reason"])
    note(actor, item, action="review.escalated", reason=why)
    tell_of(item, "review.escalated", f"Handed up to the admins: {item.title}", reason=why, escalated_by=actor.label)
    return item


@transaction.atomic
def hand_back_item(actor: Actor, *, item: ReviewItem, reason: str) -> ReviewItem:
    """Give what was handed up back to the reviewers, with a word for them."""
    item = _waiting(actor, item)
    policies.require(actor, "reviews.take_over", workspace_id=item.workspace_id)
    why = check_reason(reason)
    check_not_claimed(actor, item)
    if item.escalated_at is None:
        raise Conflict("This was not handed up to the admins.", fix="Reload the page.")
    _put(item, *UNHELD, *NOT_HANDED_UP)
    note(actor, item, action="review.handed_back", reason=why)
    return item


def _waiting(actor: Actor, item: ReviewItem) -> ReviewItem:
    """The item, locked. Raises unless the actor may decide here, and it waits."""
    item = ReviewItem.objects.select_for_update().get(id=item.id)
    policies.require(actor, "reviews.decide", workspace_id=item.workspace_id)
    if item.state != ReviewState.PENDING:
        raise Conflict(f"This was {item.state} already.", fix="Reload the page to see by whom.")
    return item


def _put(item: ReviewItem, *names: str) -> None:
    for name in names:
        setattr(item, name, {**UNHELD, **NOT_HANDED_UP}[name])
    item.save(update_fields=list(names))
