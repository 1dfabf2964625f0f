"""Forgetting what was said: what names a person who asked for it, and what was kept for long enough.

Of a request its line and bill stay, of feedback the rating, of a review item the rule and the numbers; never a text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from datasets_app.curation.erasure import Phrase
from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record as audit
from gptstudio.core.errors import Invalid
from gptstudio.review.selectors import items_quoting
from gptstudio.review.services import forget_evidence
from serving_app import selectors
from serving_app.models import Feedback, Guardrails, KeptTexts
from serving_app.models.guardrails import REVIEW_DAYS
from serving_app.selectors.feedback import is_wanted
from serving_app.selectors.said import BATCH, KINDS, Said, said_anywhere, says

QUOTED = ("question", "answer", "correction")


def erase_said(actor: Actor, *, workspace_id: str, phrase: Phrase, digest: str, reason: str) -> Said:
    """Erase every kept text, piece of feedback and quoted place that says the phrase; what they were, by id.

    `digest` is what the log calls the phrase.
    """
    require(actor, "data.erase", workspace_id=workspace_id)
    if not reason.strip():
        raise Invalid("The erasure has no reason.", fix="Say in a few words who asked for it and when.", param="reason")
    found, because = said_anywhere(workspace_id, phrase, at_ease=True), reason.strip()[:300]  # nothing is locked for it
    with transaction.atomic():
        _hold(workspace_id)
        for ids in _in_batches(found.requests):
            KeptTexts.objects.filter(workspace_id=workspace_id, request_id__in=ids).delete()
        for ids in _in_batches(found.feedback):
            _blank(Feedback.objects.filter(workspace_id=workspace_id, id__in=ids), because)
        forget = _forgetting(lambda excerpt: not says(excerpt, phrase), because)
        for item_id in found.reviews:
            forget_evidence(item_id, forget=forget)
        _note(actor, workspace_id, digest, found, because)
    return found


def _in_batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Databases take so many values in one statement."""
    return (ids[at : at + BATCH] for at in range(0, len(ids), BATCH))


def _note(actor: Actor, workspace_id: str, digest: str, found: Said, because: str) -> None:
    audit(
        actor,
        workspace_id=workspace_id,
        action="texts.erased",
        subject_kind="erasure",
        subject_id=digest,
        data={
            "requests": len(found.requests),
            "feedback": len(found.feedback),
            "reviews": len(found.reviews),
            "reason": because,
        },
    )


def drop_old_said() -> int:
    """Blank feedback and what review items quote once a workspace's time for it is over; how many.

    A correction that was accepted stays until a file has it: somebody wants it learnt.
    """
    by_days: dict[int, list[str]] = defaultdict(list)
    for workspace_id, days in selectors.days_in_review().items():
        by_days[days].append(workspace_id)
    own = [each for group in by_days.values() for each in group]
    gone = _expire(~Q(workspace_id__in=own), REVIEW_DAYS)
    return gone + sum(_expire(Q(workspace_id__in=group), days) for days, group in by_days.items())


def _expire(whose: Q, days: int) -> int:
    before, because = timezone.now() - timedelta(days=days), f"It was kept for {days} days."
    has_text = ~Q(correction="") | ~Q(question=[])
    old_ones = Feedback.objects.filter(whose, has_text, created_at__lt=before).exclude(is_wanted())
    gone = _blank(old_ones, because)
    old = items_quoting(KINDS, before=before).filter(whose).values_list("id", "workspace_id", "created_at")
    for item_id, workspace_id, began in old:
        gone += _expire_item(item_id, workspace_id, began, before=before, because=because)
    return gone


@transaction.atomic
def _expire_item(item_id: str, workspace_id: str, began: datetime, *, before: datetime, because: str) -> bool:
    """A place that was added lately to an old item stays for its own time."""
    _hold(workspace_id)

    def stays(place: dict[str, Any]) -> bool:
        return (datetime.fromisoformat(place["at"]) if place.get("at") else began) >= before

    return forget_evidence(item_id, forget=_forgetting(stays, because))


def _hold(workspace_id: str) -> None:
    """Whoever adds to a breach holds this row as well, so that nothing is written back that was just forgotten."""
    list(Guardrails.objects.select_for_update().filter(workspace_id=workspace_id))


def _blank(rows: Any, because: str) -> int:
    return int(rows.update(question=[], correction="", erased_at=timezone.now(), erased_because=because))


def _forgetting(stays: Callable[[dict[str, Any]], bool], because: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What becomes of evidence: feedback loses its texts, a breach the places that do not stay."""

    def forget(evidence: dict[str, Any]) -> dict[str, Any]:
        gone = {"at": timezone.now().isoformat(), "because": because}
        if "feedback" in evidence:
            kept = {name: each for name, each in evidence["feedback"].items() if name not in QUOTED}
            return {**evidence, "feedback": kept, "gone": gone}
        breach = evidence.get("guardrail", {})
        places: Sequence[dict[str, Any]] = breach.get("excerpts", [])
        left = [each for each in places if stays(each)]
        if left and len(left) == len(places):
            return evidence
        return {**evidence, "guardrail": {**breach, "excerpts": left}, **({} if left else {"gone": gone})}

    return forget
