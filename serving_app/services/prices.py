"""Setting prices. What was in force stays as it is: a bill is explained by the price of its time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict, Invalid
from serving_app.models import ModelPrice
from serving_app.selectors import prices_of
from training_app.selectors import model_named

MOST_MICRO = 10**12
LATENESS = timedelta(minutes=1)  # a form that was filled in for a moment still means now


@transaction.atomic
def set_price(
    actor: Actor,
    *,
    workspace_id: str,
    model_name: str,
    prompt_micro: int,
    completion_micro: int,
    valid_from: datetime | None = None,
) -> ModelPrice:
    """What a million tokens of a model cost from a time on; no name: all models without a price of their own.

    A request is billed by the price in force when it was let in.
    """
    require(actor, "prices.edit", workspace_id=workspace_id)
    now = timezone.now()
    start = valid_from or now
    if start < now - LATENESS:
        raise Invalid(
            "A price cannot begin in the past: what was billed is billed.", fix="Let it begin now.", param="valid_from"
        )
    model_name = model_name.strip()
    if model_name and model_named(workspace_id, model_name) is None:
        raise Invalid(
            f"{model_name[:200]!r} is no model of this workspace.",
            fix="Name a model as bills do: a base model or a fine-tune. A deployment is billed as the model that answers.",
            param="model_name",
        )
    for name, value in (("prompt_micro", prompt_micro), ("completion_micro", completion_micro)):
        if not 0 <= value <= MOST_MICRO:
            raise Invalid(f"{name} is {value}.", fix=f"Use 0 to {MOST_MICRO:,}.", param=name)
    price = ModelPrice.objects.create(
        workspace_id=workspace_id,
        model_name=model_name,
        prompt_micro=prompt_micro,
        completion_micro=completion_micro,
        valid_from=max(start, now),
        created_by_id=actor.user_id,
    )
    _audit(actor, price, "price.set")
    return price


@transaction.atomic
def withdraw_price(actor: Actor, *, price: ModelPrice) -> None:
    """Take back a price that has not begun."""
    require(actor, "prices.edit", workspace_id=price.workspace_id)
    if not prices_of(price.workspace_id).filter(id=price.id, valid_from__gt=timezone.now()).delete()[0]:
        raise Conflict("This price is in force already, or was.", fix="Set another one that begins now.")
    _audit(actor, price, "price.withdrawn")


def _audit(actor: Actor, price: ModelPrice, action: str) -> None:
    record(
        actor,
        workspace_id=price.workspace_id,
        action=action,
        subject_kind="price",
        subject_id=price.id,
        subject_label=price.model_name or "every model",
        data={
            "prompt_micro": price.prompt_micro,
            "completion_micro": price.completion_micro,
            "valid_from": price.valid_from.isoformat(),
        },
    )
