"""Appending to the log, and proving that nobody touched it."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Protocol

from django.db import transaction
from django.utils import timezone

from gptstudio.audit.models import AuditEvent, ChainHead
from gptstudio.audit.seals import is_sealed, seal

STUDIO = "studio"
GENESIS = "0" * 64


class Doer(Protocol):
    """Whoever acts: a person, a key, a policy or the studio itself."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...


def line_hash(event: AuditEvent) -> str:
    """SHA-256 over the canonical JSON of the line and the hash of the line before it."""
    body = [
        event.previous_hash,
        event.workspace_id or "",
        event.actor_kind,
        event.actor_id,
        event.actor_label,
        event.action,
        event.subject_kind,
        event.subject_id,
        event.subject_label,
        event.data,
        event.at.isoformat(),
    ]
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@transaction.atomic
def record(
    actor: Doer,
    *,
    workspace_id: str | None,
    action: str,
    subject_kind: str,
    subject_id: str,
    subject_label: str = "",
    data: dict[str, Any] | None = None,
) -> AuditEvent:
    """Append one line. Call it inside the transaction of the act, last, so that the chain is locked briefly."""
    key = workspace_id or STUDIO
    ChainHead.objects.get_or_create(key=key, defaults={"hash": GENESIS, "seal": seal(key, GENESIS)})
    head = ChainHead.objects.select_for_update().get(key=key)
    event = AuditEvent(
        workspace_id=workspace_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:200],
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        subject_label=subject_label[:200],
        data=json.loads(json.dumps(data or {}, default=str)),
        at=timezone.now(),
        previous_hash=head.hash,
    )
    event.hash = line_hash(event)
    event.save(force_insert=True)
    if is_sealed(key, head.hash, head.seal):  # else it was written anew behind our back, and must go on to show
        head.seal = seal(key, event.hash)
    head.hash = event.hash
    head.save(update_fields=["hash", "seal"])
    return event


@transaction.atomic
def seal_again() -> int:
    """Seal every chain under the SECRET_KEY of now; how many. Only for a log that was found whole."""
    heads = list(ChainHead.objects.select_for_update().order_by("key"))
    for head in heads:
        head.seal = seal(head.key, head.hash)
    ChainHead.objects.bulk_update(heads, ["seal"])
    return len(heads)
