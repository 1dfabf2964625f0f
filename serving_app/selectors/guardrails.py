"""Reading guardrails, and what is kept of what was said."""

from __future__ import annotations

from collections.abc import Iterable

from gptstudio.core.errors import NotFound
from serving_app.models import Guardrails, KeptTexts
from serving_app.models.usage import request_id_in


def guardrails_of(workspace_id: str) -> Guardrails:
    """What a workspace has set; where that is nothing, a row that is not kept."""
    return Guardrails.objects.filter(workspace_id=workspace_id).first() or Guardrails(workspace_id=workspace_id)


def days_of_keeping() -> dict[str, int]:
    """Workspaces that keep texts, and for how many days."""
    rows = Guardrails.objects.filter(keep_days__isnull=False).values_list("workspace_id", "keep_days")
    return {workspace_id: days for workspace_id, days in rows if days is not None}


def texts_of(workspace_id: str, request_id: str) -> KeptTexts:
    """What was kept of one request."""
    found = KeptTexts.objects.filter(workspace_id=workspace_id, request_id=request_id_in(request_id)).first()
    if found is None:
        raise NotFound(
            f"There is no text of the request {request_id} in this workspace.",
            fix="Texts are kept where the guardrails say so, and for as long as they say.",
        )
    return found


def kept_among(workspace_id: str, request_ids: Iterable[str]) -> set[str]:
    """Those of the requests whose texts are kept."""
    rows = KeptTexts.objects.filter(workspace_id=workspace_id, request_id__in=list(request_ids))
    return set(rows.values_list("request_id", flat=True))
