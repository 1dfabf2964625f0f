"""/api/v1/audit: the workspace's log, searched and taken along with the chain that proves it whole."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.audit import selectors
from gptstudio.audit.export import LINES, NAME, line_of, lines
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Invalid
from gptstudio.core.streaming import attachment

LONGEST_WORDS = 80
WORDS = OpenApiParameter("q", str, description="Only lines whose person, act or subject holds these words.")


class AuditShape(serializers.ModelSerializer):
    """One line. `hash` covers the line and `previous_hash`, so that a line changed or removed later shows."""

    id = serializers.CharField()
    details = serializers.JSONField(source="data")

    class Meta:
        model = AuditEvent
        fields = (
            "id", "at", "actor_kind", "actor_id", "actor_label", "action", "subject_kind", "subject_id", "subject_label",
            "details", "previous_hash", "hash",
        )  # fmt: skip


def _words(request: Request) -> str:
    return str(request.query_params.get("q", "")).replace("\x00", "").strip()[:LONGEST_WORDS]


class Audit(NativeView):
    """The log, newest first."""

    actions: ClassVar[dict[str, str]] = {"GET": "audit.view"}

    @extend_schema(
        operation_id="audit_list", parameters=[*LIST_PARAMETERS, WORDS], responses=page_of(AuditShape, "AuditPage")
    )
    def get(self, request: Request) -> Response:
        """Who did what, when, and why."""
        after = request.query_params.get("after", "")
        if after and not (after.isascii() and after.isdecimal() and len(after) < 19):
            raise Invalid("after is not the id of a line.", fix="Use the `next` of the page before.", param="after")
        found: Any = self.listed(selectors.events_matching(self.workspace_id, _words(request)), line_of)
        return Response({**found.data, "next": str(found.data["next"]) if found.data["next"] else None})


class AuditExport(NativeView):
    """The log as a file."""

    actions: ClassVar[dict[str, str]] = {"GET": "audit.view"}

    @extend_schema(
        operation_id="audit_export",
        parameters=[WORDS],
        responses={
            (200, LINES): OpenApiResponse(OpenApiTypes.STR, description="One line of JSON for each of the log.")
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Every line, the oldest first: with no words given the chain can be checked from its beginning."""
        return attachment(lines(self.workspace_id, _words(request)), name=NAME, kind=LINES)
