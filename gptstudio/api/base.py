"""What every view of the native API stands on: who acts, in which workspace, and how a list is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.response import Response

from gptstudio.accounts.policies import Actor
from gptstudio.api.authentication import actor_of
from gptstudio.api.idempotency import Idempotent
from gptstudio.api.pagination import LARGEST, page
from gptstudio.api.strict import complaints

LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": LARGEST},
    description=f"Rows a page, from 1 to {LARGEST}; 20 when not given.",
)
LIST_PARAMETERS = [OpenApiParameter("after", str, description="The `next` of the page before."), LIMIT]


class NativeView(Idempotent):
    """`actions` names for each method what the actor must be allowed to do."""

    actions: ClassVar[dict[str, str]] = {}

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    @property
    def workspace_id(self) -> str:
        return self.actor.workspace_id

    def listed(self, rows: QuerySet[Any], shown: Callable[[Any], Any], *, by: str = "id") -> Response:
        """One page of rows that have minted ids in the column `by`, newest first: `{data, next}`."""
        found, more = page(self.request, rows, by=by)
        return Response({"data": [shown(each) for each in found], "next": getattr(found[-1], by) if more else None})

    def given(self, serializer: type[serializers.Serializer]) -> dict[str, Any]:
        """The body, checked. Raises DRF's ValidationError, which lists every wrong field."""
        checked = serializer(data=self.request.data)
        if wrong := dict(complaints(checked, self.request.data)):
            raise serializers.ValidationError(wrong)
        checked.is_valid(raise_exception=True)
        return dict(checked.validated_data)


def page_of(row: type[serializers.Serializer], name: str) -> Any:
    """The schema of a page of these rows."""
    from drf_spectacular.utils import inline_serializer

    return inline_serializer(
        name, {"data": row(many=True), "next": serializers.CharField(allow_null=True, help_text="None: the last page.")}
    )
