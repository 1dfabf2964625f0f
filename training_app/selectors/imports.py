"""Reading base models on their way from a hub."""

from __future__ import annotations

from django.db.models import QuerySet

from gptstudio.core.errors import NotFound
from training_app.models import BaseModelImport, ImportState, LanguageModel


def import_of(workspace_id: str, import_id: str) -> BaseModelImport:
    """One of the workspace's base models on their way, or registered."""
    found = BaseModelImport.objects.filter(workspace_id=workspace_id, id=import_id).first()
    if found is None:
        raise NotFound(f"There is no import {import_id} in this workspace.")
    return found


def imports_of(workspace_id: str) -> QuerySet[BaseModelImport]:
    """Base models that the workspace has under way, and the newest that failed."""
    return BaseModelImport.objects.filter(workspace_id=workspace_id).exclude(state=ImportState.REGISTERED)


def import_of_model(model: LanguageModel) -> BaseModelImport | None:
    """Where a base model was fetched from, if it was."""
    return BaseModelImport.objects.filter(model=model).first()
