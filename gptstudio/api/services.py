"""Answers kept for requests that are sent twice. Knows no request: a key, a fingerprint, an answer.

The key itself is not kept, and the answer is sealed with it: whoever reads the database cannot read what a model said, and
the studio itself can do so only for who sends the key again.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from gptstudio.accounts.policies import Actor
from gptstudio.api.models import KeptAnswer
from gptstudio.core.errors import Conflict, Invalid

KEPT = timedelta(hours=24)
IN_FLIGHT = timedelta(minutes=10)  # whoever worked on it that long ago is dead


class KeyReused(Invalid):
    """The key belongs to another request."""

    status = 422
    code = "idempotency_key_reused"


class RequestInFlight(Conflict):
    """The first request with the key is not over: the one Conflict that passes by itself."""

    code = "request_in_flight"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered."""

    status: int
    content_type: str
    body: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that was sent: the answer under it, or the right and duty to make it (`answer` None)."""

    row: KeptAnswer
    seal: MultiFernet
    answer: Answer | None = None


def claim_answer(actor: Actor, *, key: str, fingerprint: str) -> Claim:
    """The answer that was kept under this key, or the claim to make it.

    Raises KeyReused where the key came with another request, RequestInFlight while the first one is being worked on,
    Conflict where its answer cannot be opened any more.
    """
    now, digest = timezone.now(), sha256(key.encode()).hexdigest()
    with transaction.atomic():
        mine = KeptAnswer.objects.filter(workspace_id=actor.workspace_id, caller=actor.id, key=digest)
        mine.filter(Q(begun_at__lt=now - KEPT) | Q(status=None, begun_at__lt=now - IN_FLIGHT)).delete()
        found, is_new = KeptAnswer.objects.get_or_create(
            workspace_id=actor.workspace_id,
            caller=actor.id,
            key=digest,
            defaults={"fingerprint": fingerprint, "begun_at": now},
        )
    if found.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key was sent with another request.", fix="Take a new key for each request.")
    seal = _seal_of(key)
    if is_new:
        return Claim(found, seal)
    if found.status is None:
        raise RequestInFlight(
            "The first request with this Idempotency-Key is still being worked on.", fix="Send it again in a moment."
        )
    return Claim(found, seal, _opened(found, seal))


def _seal_of(key: str) -> MultiFernet:
    """Under today's secret; what was sealed under one of SECRET_KEY_FALLBACKS opens, too."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (salted_hmac("gptstudio.api.kept_answer", key, each, algorithm="sha256").digest() for each in secrets)
    return MultiFernet([Fernet(urlsafe_b64encode(digest)) for digest in digests])


def _opened(row: KeptAnswer, seal: MultiFernet) -> Answer:
    try:
        body = seal.decrypt(row.body.encode()).decode()
    except InvalidToken as error:
        raise Conflict(
            "This request was answered, and the studio's secret has changed since, so the answer cannot be opened.",
            fix="Look whether what you asked for is there; send a new Idempotency-Key if it is not.",
        ) from error
    return Answer(int(row.status or 0), row.content_type, body)


def keep_answer(claim: Claim, answer: Answer) -> None:
    """What the request was answered; from now on it is the answer to whoever repeats it."""
    sealed = claim.seal.encrypt(answer.body.encode()).decode()
    row = KeptAnswer.objects.filter(pk=claim.row.pk)
    row.update(status=answer.status, content_type=answer.content_type, body=sealed)


def release_answer(claim: Claim) -> None:
    """Nothing was done: the key is free again."""
    KeptAnswer.objects.filter(pk=claim.row.pk).delete()


def drop_old_answers() -> int:
    """Forget answers that are older than a day; how many."""
    return KeptAnswer.objects.filter(begun_at__lt=timezone.now() - KEPT).delete()[0]
