"""Reading guardrails."""

from __future__ import annotations

from serving_app.models import Guardrails


def guardrails_of(workspace_id: str) -> Guardrails:
    """What a workspace has set; where that is nothing, a row that is not kept."""
    return Guardrails.objects.filter(workspace_id=workspace_id).first() or Guardrails(workspace_id=workspace_id)
