"""/api/v1/models/{id}, …/download and …/exports: a model out of the studio, or put away; fine-tunes put away."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.core.streaming import attachment
from training_app import selectors, services
from training_app.models import ExportForm, ModelExport
from training_app.selectors.exports import export_of, exports_of

DOWNLOAD = "models.download"


class ModelDownload(NativeView):
    """The folder of a model."""

    actions: ClassVar[dict[str, str]] = {"GET": DOWNLOAD}

    @extend_schema(operation_id="models_download", responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request, model_id: str) -> Any:
        """Weights, tokenizer, card and spec as a zip; streamed, and written down. An adapter comes without its base model."""
        found = selectors.model_of(self.workspace_id, model_id)
        package = services.take_model(self.actor, model=found)
        return attachment(package.pieces, name=package.name, kind=package.kind)


class PutAwayShape(serializers.Serializer):
    """`freed_bytes` is what was deleted of it: the weights of a model, the checkpoints of a fine-tune."""

    id = serializers.CharField()
    freed_bytes = serializers.IntegerField(min_value=0, max_value=2**63 - 1)


class ModelOne(NativeView):
    """One model."""

    actions: ClassVar[dict[str, str]] = {"DELETE": "models.archive"}

    @extend_schema(operation_id="models_archive", responses={200: PutAwayShape})
    def delete(self, request: Request, model_id: str) -> Response:
        """Put it away for good: it leaves the lists and its weights are deleted; scores, card and lineage stay. 409 while it
        is released, deployed, waits for a reviewer, or others descend from it."""
        found = selectors.model_of(self.workspace_id, model_id)
        freed = services.archive_model(self.actor, model=found)
        return Response(PutAwayShape({"id": found.id, "freed_bytes": freed}).data)


class JobOne(NativeView):
    """One fine-tune."""

    actions: ClassVar[dict[str, str]] = {"DELETE": "training.edit"}

    @extend_schema(operation_id="fine_tuning_jobs_archive", responses={200: PutAwayShape})
    def delete(self, request: Request, job_id: str) -> Response:
        """Put a fine-tune that is over away for good: it leaves the lists and its checkpoints are deleted; curves, log,
        settings and its model stay."""
        found = selectors.job_of(self.workspace_id, job_id)
        freed = services.archive_job(self.actor, job=found)
        return Response(PutAwayShape({"id": found.id, "freed_bytes": freed}).data)


class ModelCard(NativeView):
    """A model's card."""

    actions: ClassVar[dict[str, str]] = {"GET": "models.view"}

    @extend_schema(operation_id="models_card", responses={(200, "text/markdown"): OpenApiTypes.STR})
    def get(self, request: Request, model_id: str) -> HttpResponse:
        """Verdict, scores with intervals, safety and limits as Markdown. Counts alone: no row, no answer."""
        text = services.card_of(selectors.model_of(self.workspace_id, model_id))
        return HttpResponse(text, content_type="text/markdown; charset=utf-8")


class ModelExportShape(serializers.ModelSerializer):
    """`state` is queued, running, ready or failed; then `error` says why. `bytes` and `digest` once it is ready."""

    model = serializers.CharField(source="model_id")
    form = serializers.ChoiceField(ExportForm.values)
    state = serializers.CharField()
    bytes = serializers.IntegerField()
    error = serializers.JSONField()

    class Meta:
        model = ModelExport
        fields = ("id", "model", "form", "state", "digest", "bytes", "error", "created_at", "finished_at")


class ModelExportBody(serializers.Serializer):
    """`merged` is for adapters: a folder that needs no base model. `gguf-…` is one file, for Llama-shaped models."""

    form = serializers.ChoiceField(ExportForm.values)


class ModelExports(NativeView):
    """Forms of a model for elsewhere."""

    actions: ClassVar[dict[str, str]] = {"GET": DOWNLOAD, "POST": DOWNLOAD}
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="model_exports_list",
        parameters=LIST_PARAMETERS,
        responses=page_of(ModelExportShape, "ModelExportsPage"),
    )
    def get(self, request: Request, model_id: str) -> Response:
        """Newest first."""
        rows = exports_of(selectors.model_of(self.workspace_id, model_id))
        return self.listed(rows, lambda each: ModelExportShape(each).data)

    @extend_schema(
        operation_id="model_exports_request",
        request=ModelExportBody,
        responses={200: ModelExportShape, 202: ModelExportShape},
    )
    def post(self, request: Request, model_id: str) -> Response:
        """202: a worker makes it. 200: it is there already."""
        found = selectors.model_of(self.workspace_id, model_id)
        asked = services.request_export(self.actor, model=found, form=self.given(ModelExportBody)["form"])
        return Response(ModelExportShape(asked).data, status=200 if asked.is_kept else 202)


class ModelExportOne(NativeView):
    """One of a model's exports."""

    actions: ClassVar[dict[str, str]] = {"GET": DOWNLOAD, "DELETE": DOWNLOAD}

    @extend_schema(operation_id="model_exports_read", responses=ModelExportShape)
    def get(self, request: Request, model_id: str, export_id: str) -> Response:
        """How far it is."""
        return Response(ModelExportShape(export_of(selectors.model_of(self.workspace_id, model_id), export_id)).data)

    @extend_schema(operation_id="model_exports_delete", responses={204: None})
    def delete(self, request: Request, model_id: str, export_id: str) -> Response:
        """Free the disk of it; it can be asked for again."""
        found = export_of(selectors.model_of(self.workspace_id, model_id), export_id)
        services.delete_export(self.actor, export=found)
        return Response(status=204)


class ModelExportDownload(NativeView):
    """What was made."""

    actions: ClassVar[dict[str, str]] = {"GET": DOWNLOAD}

    @extend_schema(
        operation_id="model_exports_download",
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, model_id: str, export_id: str) -> Any:
        """A merged model as a zip, a GGUF file as it is; streamed, and written down."""
        found = export_of(selectors.model_of(self.workspace_id, model_id), export_id)
        package = services.take_export(self.actor, export=found)
        return attachment(package.pieces, name=package.name, kind=package.kind, size=package.size)
