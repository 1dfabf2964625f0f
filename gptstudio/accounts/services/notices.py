"""Where a workspace wants to be told: who may say so, and that it was said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from gptstudio.accounts.policies import Actor, action_to_hear_of, require
from gptstudio.audit.services import record
from gptstudio.notify import services
from gptstudio.notify.models import Delivery, Destination


def _audit(actor: Actor, destination: Destination, action: str, **data: Any) -> None:
    record(
        actor,
        workspace_id=destination.workspace_id,
        action=action,
        subject_kind="destination",
        subject_id=destination.id,
        subject_label=destination.address,
        data={"kind": destination.kind, **data},
    )


def _require_hearing(actor: Actor, events: Iterable[str], *, workspace_id: str) -> None:
    """Raise NotAllowed where notices would tell more than the actor may see."""
    for action in sorted({action_to_hear_of(event) for event in events}):
        require(actor, action, workspace_id=workspace_id)


@transaction.atomic
def add_destination(
    actor: Actor, *, workspace_id: str, kind: str, address: str, events: Sequence[str] | None = None
) -> Destination:
    """Have an e-mail address or a URL told of `events` of the workspace; of alerts when none are named."""
    require(actor, "alerts.edit", workspace_id=workspace_id)
    _require_hearing(actor, events or (), workspace_id=workspace_id)
    made = services.add_destination(workspace_id=workspace_id, kind=kind, address=address, events=events)
    _audit(actor, made, "destination.added", events=made.events)
    return made


@transaction.atomic
def choose_events(actor: Actor, *, destination: Destination, events: Sequence[str]) -> None:
    """Have it told of other events."""
    require(actor, "alerts.edit", workspace_id=destination.workspace_id)
    _require_hearing(actor, set(events) - set(destination.events), workspace_id=destination.workspace_id)
    services.choose_events(destination, events=events)
    _audit(actor, destination, "destination.changed", events=destination.events)


@transaction.atomic
def send_test(actor: Actor, *, destination: Destination) -> Delivery:
    """Send it a notice that tells of nothing."""
    require(actor, "alerts.edit", workspace_id=destination.workspace_id)
    made = services.send_test(destination)
    _audit(actor, destination, "destination.tested", delivery=made.id)
    return made


@transaction.atomic
def remove_destination(actor: Actor, *, destination: Destination) -> None:
    """Nothing more goes there."""
    require(actor, "alerts.edit", workspace_id=destination.workspace_id)
    services.remove_destination(destination)
    _audit(actor, destination, "destination.removed")


@transaction.atomic
def send_again(actor: Actor, *, delivery: Delivery) -> None:
    """Try a delivery anew."""
    require(actor, "alerts.edit", workspace_id=delivery.destination.workspace_id)
    services.send_again(delivery)
    _audit(actor, delivery.destination, "delivery.sent_again", delivery=delivery.id, event=delivery.event)
