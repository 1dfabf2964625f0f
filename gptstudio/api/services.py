"""Answers kept for requests that are sent twice. Knows no request: a key, a fingerprint, an answer."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from gptstudio.accounts.policies import Actor
from gptstudio.api.models import KeptAnswer
from gptstudio.core.errors import Conflict, Invalid

KEPT = timedelta(hours=24)
IN_FLIGHT = timedelta(minutes=10)  # whoever worked on it that long ago is dead


class KeyReused(Invalid):
    """The key belongs to another request."""

    status = 422
    code = "idempotency_key_reused"


def claim_answer(actor: Actor, *, key: str, fingerprint: str) -> KeptAnswer:
    """The answer that was kept under this key, or a new one to be filled in (its status is None).

    Raises KeyReused where the key came with another request, Conflict while the first one is being worked on.
    """
    now = timezone.now()
    with transaction.atomic():
        mine = KeptAnswer.objects.filter(workspace_id=actor.workspace_id, caller=actor.id, key=key)
        mine.filter(Q(begun_at__lt=now - KEPT) | Q(status=None, begun_at__lt=now - IN_FLIGHT)).delete()
        found, is_new = KeptAnswer.objects.get_or_create(
            workspace_id=actor.workspace_id,
            caller=actor.id,
            key=key,
            defaults={"fingerprint": fingerprint, "begun_at": now},
        )
    if found.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key was sent with another request.", fix="Take a new key for each request.")
    if not is_new and found.status is None:
        raise Conflict(
            "The first request with this Idempotency-Key is still being worked on.",
            fix="Send it again in a moment.",
            code="request_in_flight",
        )
    return found


def keep_answer(claimed: KeptAnswer, *, status: int, content_type: str, body: str) -> None:
    """What the request was answered; from now on it is the answer to whoever repeats it."""
    KeptAnswer.objects.filter(pk=claimed.pk).update(status=status, content_type=content_type, body=body)


def release_answer(claimed: KeptAnswer) -> None:
    """Nothing was done: the key is free again."""
    KeptAnswer.objects.filter(pk=claimed.pk).delete()


def drop_old_answers() -> int:
    """Forget answers that are older than a day; how many."""
    return KeptAnswer.objects.filter(begun_at__lt=timezone.now() - KEPT).delete()[0]
