"""Pausing a key, and letting it go on: what is unclear is stopped without being lost."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts import policies
from gptstudio.accounts.models import ApiKey
from gptstudio.accounts.policies import Actor
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict
from gptstudio.core.reasons import checked_reason

LONGEST = 300


def _locked(actor: Actor, key: ApiKey) -> ApiKey:
    policies.require(actor, "keys.edit", workspace_id=key.workspace_id)
    found = ApiKey.objects.select_for_update().get(id=key.id)
    if found.revoked_at is not None:
        raise Conflict(f"{found.name} is revoked.", fix="Issue another key.")
    return found


def _audit(actor: Actor, key: ApiKey, action: str, reason: str) -> None:
    record(
        actor,
        workspace_id=key.workspace_id,
        action=action,
        subject_kind="key",
        subject_id=key.id,
        subject_label=key.name,
        data={"reason": reason},
    )


@transaction.atomic
def pause_key(actor: Actor, *, key: ApiKey, reason: str) -> ApiKey:
    """The key opens nothing from the next request on, on every process, and neither do its tokens; secrets, limits and bill
    stay as they are.
    """
    why = checked_reason(reason, longest=LONGEST)
    key = _locked(actor, key)
    if key.paused_at is not None:
        raise Conflict(f"{key.name} is paused already.", fix="Reload the page to see by whom.")
    key.paused_at, key.paused_by_label, key.paused_reason = timezone.now(), actor.label[:200], why
    key.save(update_fields=["paused_at", "paused_by_label", "paused_reason"])
    _audit(actor, key, "key.paused", why)
    return key


@transaction.atomic
def resume_key(actor: Actor, *, key: ApiKey, reason: str) -> ApiKey:
    """The key opens again what it opened before, from the next request on."""
    why = checked_reason(reason, longest=LONGEST)
    key = _locked(actor, key)
    if key.paused_at is None:
        raise Conflict(f"{key.name} is not paused.", fix="Reload the page.")
    key.paused_at, key.paused_by_label, key.paused_reason = None, "", ""
    key.save(update_fields=["paused_at", "paused_by_label", "paused_reason"])
    _audit(actor, key, "key.resumed", why)
    return key
