"""Reading prices: which one is in force, and which ones there are."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from gptstudio.core.errors import NotFound
from gptstudio.core.statements import Reading
from serving_app.models import ModelPrice
from serving_app.prices import Price, usual_price

_IN_FORCE = Reading(
    lambda workspace_id, model_name, at: (
        ModelPrice.objects.filter(
            Q(model_name=model_name) | Q(model_name=""), workspace_id=workspace_id, valid_from__lte=at
        )
        .order_by("-model_name", "-valid_from", "-id")
        .values_list("prompt_micro", "completion_micro")[:1]
    ),
    str,
    str,
    datetime,
)


def price_of(workspace_id: str, model_name: str, *, at: datetime | None = None) -> Price:
    """The model's own price, else the workspace's for every model, else the settings'; at a time, now by default."""
    found = _IN_FORCE.rows(workspace_id, model_name, at or timezone.now())
    return Price(*found[0]) if found else usual_price()


def prices_of(workspace_id: str) -> QuerySet[ModelPrice]:
    """All prices that the workspace ever set, also those to come."""
    return ModelPrice.objects.filter(workspace_id=workspace_id).select_related("created_by")


def scheduled_price(workspace_id: str, price_id: str) -> ModelPrice:
    """One price of the workspace."""
    found = prices_of(workspace_id).filter(id=price_id).first()
    if found is None:
        raise NotFound(f"There is no price {price_id} in this workspace.")
    return found
