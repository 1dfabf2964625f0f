"""Issuing and revoking API keys."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts import policies, selectors
from gptstudio.accounts.models import ApiKey
from gptstudio.accounts.policies import Actor
from gptstudio.audit.services import record
from gptstudio.core.errors import Invalid

START = "sk-studio-"


@transaction.atomic
def issue_key(
    actor: Actor,
    *,
    workspace_id: str,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
    budget_micro: int | None = None,
    requests_per_minute: int | None = None,
) -> tuple[ApiKey, str]:
    """Make a key. Returns the row and the secret, which nobody can read again."""
    policies.require(actor, "keys.edit", workspace_id=workspace_id)
    if not name.strip():
        raise Invalid("The key has no name.", fix="Name it after the program that will use it.", param="name")
    unknown = sorted(set(scopes) - set(policies.SCOPES))
    if unknown or not scopes:
        raise Invalid(
            f"Unknown scope: {', '.join(unknown)}." if unknown else "The key has no scope.",
            fix=f"Choose from {', '.join(policies.SCOPES)}.",
            param="scopes",
        )
    secret = START + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        workspace_id=workspace_id,
        created_by_id=actor.user_id,
        name=name.strip()[:80],
        prefix=secret[: len(START) + 6],
        hash=selectors.key_hash(secret),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        budget_micro=budget_micro,
        requests_per_minute=requests_per_minute,
    )
    record(
        actor,
        workspace_id=workspace_id,
        action="key.issued",
        subject_kind="key",
        subject_id=key.id,
        subject_label=key.name,
        data={"scopes": key.scopes, "prefix": key.prefix},
    )
    return key, secret


@transaction.atomic
def revoke_key(actor: Actor, *, key: ApiKey) -> ApiKey:
    """Close a key for good, at once on every process. Revoking twice changes nothing."""
    policies.require(actor, "keys.edit", workspace_id=key.workspace_id)
    if ApiKey.objects.filter(id=key.id, revoked_at__isnull=True).update(revoked_at=timezone.now()):
        record(
            actor,
            workspace_id=key.workspace_id,
            action="key.revoked",
            subject_kind="key",
            subject_id=key.id,
            subject_label=key.name,
        )
    key.refresh_from_db()
    return key
