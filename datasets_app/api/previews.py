"""/api/v1/datasets/{id}/previews: what a recipe would do, counted by a worker before it is done."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app import selectors, services
from datasets_app.api.shapes import VersionBody
from datasets_app.api.versions import wanted_of
from datasets_app.models import RecipePreview
from gptstudio.api.base import NativeView
from gptstudio.core.errors import NotFound


class PreviewShape(serializers.ModelSerializer):
    """What a recipe would do to a sample of the rows. `state` is queued, running, ready, failed or cancelled."""

    files = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField(
        help_text="Counts and examples of each step, as docs/architecture.md describes them; null until it is ready."
    )

    class Meta:
        model = RecipePreview
        fields = ("id", "dataset_id", "state", "recipe", "files", "progress", "result", "error", "created_at")

    def get_files(self, preview: RecipePreview) -> list[str]:
        return [file.id for file in selectors.files_of_preview(preview)]

    def get_result(self, preview: RecipePreview) -> dict[str, Any] | None:
        return preview.result or None


class Previews(NativeView):
    """The previews of a data set."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}
    parser_classes = [JSONParser]

    @extend_schema(operation_id="previews_create", request=VersionBody, responses={202: PreviewShape})
    def post(self, request: Request, dataset_id: str) -> Response:
        """Have counted what a version would come to; the body is a version's. It replaces the data set's earlier previews,
        for they hold rows. Follow `state` until it is ready or failed."""
        dataset = selectors.dataset_of(self.workspace_id, dataset_id)
        made = services.create_preview(self.actor, dataset=dataset, **wanted_of(dataset, self.given(VersionBody)))
        return Response(PreviewShape(made).data, status=202)


class OfPreview(NativeView):
    """Views of one preview of one data set."""

    def preview(self, dataset_id: str, preview_id: str) -> RecipePreview:
        found = selectors.preview_of(self.workspace_id, preview_id)
        if found.dataset_id != dataset_id:
            raise NotFound(f"There is no preview {preview_id} in this data set.")
        return found


class PreviewOne(OfPreview):
    """One preview."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.edit"}

    @extend_schema(operation_id="previews_read", responses=PreviewShape)
    def get(self, request: Request, dataset_id: str, preview_id: str) -> Response:
        return Response(PreviewShape(self.preview(dataset_id, preview_id)).data)


class CancelPreview(OfPreview):
    """The end of one."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}

    @extend_schema(operation_id="previews_cancel", request=None, responses={202: PreviewShape})
    def post(self, request: Request, dataset_id: str, preview_id: str) -> Response:
        """Stop counting. 409 where it is over."""
        stopped = services.cancel_preview(self.actor, preview=self.preview(dataset_id, preview_id))
        return Response(PreviewShape(stopped).data, status=202)
