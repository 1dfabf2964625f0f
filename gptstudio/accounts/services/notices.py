"""Where a workspace wants to be told: who may say so, and that it was said."""

from __future__ import annotations

from django.db import transaction

from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.notify import services
from gptstudio.notify.models import Delivery, Destination


def _audit(actor: Actor, destination: Destination, action: str, **data: str) -> None:
    record(
        actor,
        workspace_id=destination.workspace_id,
        action=action,
        subject_kind="destination",
        subject_id=destination.id,
        subject_label=destination.address,
        data={"kind": destination.kind, **data},
    )


@transaction.atomic
def add_destination(actor: Actor, *, workspace_id: str, kind: str, address: str) -> Destination:
    """Have the workspace's alerts sent to an e-mail address or a URL."""
    require(actor, "alerts.edit", workspace_id=workspace_id)
    made = services.add_destination(workspace_id=workspace_id, kind=kind, address=address)
    _audit(actor, made, "destination.added")
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
