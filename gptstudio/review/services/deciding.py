"""Deciding items, under the workspace's release policy, one by one or many of a kind at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts import policies
from gptstudio.accounts.models import ReleasePolicy
from gptstudio.accounts.policies import Actor
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, StudioError
from gptstudio.review import selectors
from gptstudio.review.models import NOT_HANDED_UP, TRANSITIONS, UNHELD, ReviewDecision, ReviewItem, ReviewState
from gptstudio.review.services.claiming import check_not_claimed
from gptstudio.review.services.noting import check_reason, note, tell_of
from gptstudio.review.wording import wording_of

MOST_AT_ONCE = 100
VERDICTS = (ReviewState.APPROVED, ReviewState.REJECTED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of many: `refused` is the sentence that says why it was not decided; empty: it was."""

    id: str
    refused: str = ""


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
    if item.escalated_at is not None and inside and not actor.may("reviews.take_over"):
        raise NotAllowed("This was handed up to the admins.", fix="One of them decides, or hands it back.")
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
    """Approve or reject, with a reason. The item is locked, so two reviewers cannot both decide it, and what somebody else
    holds is theirs to decide. Where its kind says so, approving needs no reason.
    """
    item = ReviewItem.objects.select_for_update().select_related("workspace").get(id=item.id)
    check_may_decide(actor, item=item, policy=item.workspace.release_policy, verdict=verdict)
    if verdict != ReviewState.APPROVED or wording_of(item.kind).reason_to_approve:
        check_reason(reason)
    if verdict not in VERDICTS:
        raise Invalid(f"{verdict!r} is not a decision.", fix="Choose approved or rejected.", param="verdict")
    if item.state == verdict:
        raise Conflict(f"This was {verdict} already.", fix="Reload the page to see by whom.")
    TRANSITIONS.check(item.state, verdict, noun="item")
    if actor.kind != "policy":
        check_not_claimed(actor, item)
    is_awaited = item.state == ReviewState.PENDING and actor.kind != "policy"
    waited = int((timezone.now() - item.waiting_since).total_seconds()) if is_awaited else None
    action = "review.withdrawn" if item.state == ReviewState.APPROVED else f"review.{verdict}"
    over = NOT_HANDED_UP if actor.may("reviews.take_over") else {}
    _put(item, state=verdict, decided_at=timezone.now(), **over)
    decision = _write(actor, item, verdict=verdict, reason=reason, waited=waited)
    note(actor, item, action=action, reason=decision.reason)
    said = {"verdict": verdict, "reason": decision.reason, "decided_by": actor.label}
    tell_of(item, "review.decided", f"{ReviewState(verdict).label}: {item.title}", **said)
    return decision


def decide_many(
    actor: Actor, *, workspace_id: str, item_ids: Sequence[str], verdict: str, reason: str
) -> list[Outcome]:
    """Decide items of one kind, each for itself under the policy: what is refused keeps none of the others from it.

    Models are released one by one: that somebody looked at each is what a release says.
    """
    policies.require(actor, "reviews.decide", workspace_id=workspace_id)
    ids = list(dict.fromkeys(item_ids))
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise Invalid(f"1 to {MOST_AT_ONCE} items are decided at once.", fix="Choose some, or fewer.", param="ids")
    if verdict not in VERDICTS:
        raise Invalid(f"{verdict!r} is not a decision.", fix="Choose approved or rejected.", param="verdict")
    found = {item.id: item for item in selectors.items_of(workspace_id).filter(id__in=ids)}
    kinds = {item.kind for item in found.values()}
    if len(kinds) > 1:
        raise Invalid("Items of several kinds were chosen.", fix="Choose items of one kind.", param="ids")
    if kinds and not wording_of(*kinds).in_bulk:
        raise Invalid("Items of this kind are decided one by one.", fix="Open each of them.", param="ids")
    return [_decide_one(actor, found.get(each), each, verdict=verdict, reason=reason) for each in ids]


def _decide_one(actor: Actor, item: ReviewItem | None, item_id: str, *, verdict: str, reason: str) -> Outcome:
    if item is None:
        return Outcome(item_id, f"There is no review item {item_id} in this workspace.")
    try:
        decide(actor, item=item, verdict=verdict, reason=reason)
    except StudioError as error:
        if error.param == "reason":
            raise  # it is missing for all of them
        return Outcome(item_id, str(error))
    return Outcome(item_id)


@transaction.atomic
def reopen(actor: Actor, *, item: ReviewItem, reason: str) -> ReviewDecision:
    """Put what was rejected back in the queue, with a reason: a slip, or something has changed since."""
    item = ReviewItem.objects.select_for_update().get(id=item.id)
    policies.require(actor, "reviews.decide", workspace_id=item.workspace_id)
    check_reason(reason)
    TRANSITIONS.check(item.state, ReviewState.PENDING, noun="item")
    _put(item, state=ReviewState.PENDING, decided_at=None, waiting_since=timezone.now())
    decision = _write(actor, item, verdict=ReviewState.PENDING, reason=reason)
    note(actor, item, action="review.reopened", reason=decision.reason)
    tell_of(item, "review.opened", f"Waits for a reviewer again: {item.title}", requested_by=item.requested_by)
    return decision


def _put(item: ReviewItem, **fields: object) -> None:
    """Where the item stands from now on; nobody holds it any more."""
    changed = {**UNHELD, **fields}
    for name, value in changed.items():
        setattr(item, name, value)
    item.save(update_fields=list(changed))


def _write(actor: Actor, item: ReviewItem, *, verdict: str, reason: str, waited: int | None = None) -> ReviewDecision:
    """Write down what was decided, beside the item."""
    return ReviewDecision.objects.create(
        item=item,
        verdict=verdict,
        reason=reason.strip(),
        decided_by_id=actor.user_id if actor.kind == "user" else None,
        decided_by_label=actor.label,
        waited_seconds=waited,
    )
