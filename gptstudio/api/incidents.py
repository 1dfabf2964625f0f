"""/api/v1/incidents: what went wrong or was stopped, of all kinds or one, read off the audit log."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.audit import incidents, selectors
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Invalid

KIND = OpenApiParameter("kind", str, enum=list(incidents.KINDS), description="Only those of this kind.")
SINCE = OpenApiParameter("since", {"type": "string", "format": "date-time"}, description="Only those since this time.")


class IncidentShape(serializers.Serializer):
    """One line of the log that tells of an incident."""

    id = serializers.CharField()
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(list(incidents.KINDS))
    action = serializers.CharField()
    actor = serializers.CharField()
    subject_id = serializers.CharField()
    subject = serializers.CharField()
    why = serializers.CharField()


def _shown(event: AuditEvent) -> dict[str, Any]:
    facts = {"id": str(event.id), "at": event.at, "kind": incidents.kind_of(event), "action": event.action}
    about = {"actor": event.actor_label, "subject_id": event.subject_id, "subject": event.subject_label}
    return dict(IncidentShape({**facts, **about, "why": incidents.why(event)}).data)


class Incidents(NativeView):
    """What went wrong or was stopped."""

    actions: ClassVar[dict[str, str]] = {"GET": "audit.view"}

    @extend_schema(
        operation_id="incidents_list",
        parameters=[*LIST_PARAMETERS, KIND, SINCE],
        responses=page_of(IncidentShape, "IncidentsPage"),
    )
    def get(self, request: Request) -> Response:
        """Stopped deployments, withdrawn models, flagged completions, paused keys, blocked members and alerts; the newest
        first.
        """
        after, kind = request.query_params.get("after", ""), request.query_params.get("kind", "")
        if after and not (after.isascii() and after.isdecimal() and len(after) < 19):
            raise Invalid("after is not the id of a line.", fix="Use the `next` of the page before.", param="after")
        if kind and kind not in incidents.KINDS:
            raise Invalid(f"kind is {kind[:40]!r}.", fix=f"Use one of {', '.join(incidents.KINDS)}.", param="kind")
        since = None
        if said := request.query_params.get("since"):
            try:
                since = serializers.DateTimeField().to_internal_value(said)
            except serializers.ValidationError as error:
                fix = "Write it like 2026-11-30T12:00:00Z."
                raise Invalid(f"since is {said[:40]!r}.", fix=fix, param="since") from error
        rows = selectors.incidents_in([self.workspace_id], kind=kind, since=since)
        found: Any = self.listed(rows, _shown)
        return Response({**found.data, "next": str(found.data["next"]) if found.data["next"] else None})
