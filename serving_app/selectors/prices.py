"""Reading prices: which one is in force, and which ones there are."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from gptstudio.core.errors import NotFound
from serving_app.models import ModelPrice
from serving_app.prices import Price, usual_price


def price_of(workspace_id: str, model_name: str, *, at: datetime | None = None) -> Price:
    """The model's own price, else the workspace's for every model, else the settings'; at a time, now by default."""
    rows = ModelPrice.objects.filter(workspace_id=workspace_id, model_name__in=[model_name, ""])
    found = rows.filter(valid_from__lte=at or timezone.now()).order_by("-model_name", "-valid_from", "-id").first()
    return Price(found.prompt_micro, found.completion_micro) if found else usual_price()


def prices_of(workspace_id: str) -> QuerySet[ModelPrice]:
    """All prices that the workspace ever set, also those to come."""
    return ModelPrice.objects.filter(workspace_id=workspace_id).select_related("created_by")


def scheduled_price(workspace_id: str, price_id: str) -> ModelPrice:
    """One price of the workspace."""
    found = prices_of(workspace_id).filter(id=price_id).first()
    if found is None:
        raise NotFound(f"There is no price {price_id} in this workspace.")
    return found
