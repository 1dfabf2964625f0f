"""Reading destinations and deliveries. The workspace comes first."""

from __future__ import annotations

from django.db.models import QuerySet

from gptstudio.core.errors import NotFound
from gptstudio.notify.models import Delivery, Destination


def destinations_of(workspace_id: str) -> QuerySet[Destination]:
    """Where the workspace wants to be told."""
    return Destination.objects.filter(workspace_id=workspace_id, removed_at__isnull=True)


def destination_of(workspace_id: str, destination_id: str) -> Destination:
    """One of them."""
    found = destinations_of(workspace_id).filter(id=destination_id).first()
    if found is None:
        raise NotFound(f"There is no destination {destination_id} in this workspace.")
    return found


def deliveries_of(workspace_id: str) -> QuerySet[Delivery]:
    """The log, newest first, also to destinations that were removed."""
    return Delivery.objects.filter(destination__workspace_id=workspace_id).select_related("destination")


def delivery_of(workspace_id: str, delivery_id: str) -> Delivery:
    """One of them."""
    found = deliveries_of(workspace_id).filter(id=delivery_id).first()
    if found is None:
        raise NotFound(f"There is no delivery {delivery_id} in this workspace.")
    return found
