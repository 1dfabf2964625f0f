"""Limits of the safety report, set by a workspace's admins. They hold for the next report; reports keep the limits they had."""

from __future__ import annotations

import math
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction

from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core.errors import Invalid
from training_app.engine.limits import LIMITS
from training_app.models import SafetyLimits


@transaction.atomic
def set_safety_limits(
    actor: Actor, *, workspace_id: str, limits: Mapping[str, float], scorer: str = ""
) -> SafetyLimits:
    """Replace them all; a check that is left out gets its usual limit. `scorer` is asked beside the word list."""
    require(actor, "guardrails.edit", workspace_id=workspace_id)
    kept = {key: _checked(key, value) for key, value in limits.items()}
    _check_scorer(scorer)
    found, _ = SafetyLimits.objects.update_or_create(
        workspace_id=workspace_id,
        defaults={
            "limits": {key: value for key, value in kept.items() if value != LIMITS[key].usual},
            "scorer": scorer,
            "changed_by_id": actor.user_id,
        },
    )
    record(
        actor,
        workspace_id=workspace_id,
        action="safety_limits.set",
        subject_kind="workspace",
        subject_id=workspace_id,
        subject_label="Safety limits",
        data={"limits": found.limits, "scorer": scorer},
    )
    return found


def _checked(key: str, value: float) -> float:
    known = LIMITS.get(key)
    if known is None:
        raise Invalid(f"There is no check {key!r}.", fix=f"Checks are {', '.join(LIMITS)}.", param=key)
    wrong = isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
    if wrong or not 0 <= value <= known.most or (known.is_whole and value != int(value)):
        kind = "a whole number" if known.is_whole else "a number"
        raise Invalid(
            f"{known.title}: {value} cannot be a limit.", fix=f"Use {kind} from 0 to {known.most:g}.", param=key
        )
    return int(value) if known.is_whole else float(value)


def _check_scorer(scorer: str) -> None:
    if not scorer:
        return
    if not settings.MODERATION_URL:
        raise Invalid(
            "There is no moderation server to ask.", fix="Whoever runs the studio sets MODERATION_URL.", param="scorer"
        )
    if scorer not in settings.MODERATION_MODELS:
        known = ", ".join(settings.MODERATION_MODELS)
        raise Invalid(f"{scorer!r} is no scorer here.", fix=f"Choose {known}, or none.", param="scorer")
