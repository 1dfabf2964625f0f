"""/api/v1/base-models: those there are, a folder registered, a hub's model fetched."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from training_app import selectors, services
from training_app.models import BaseModelImport, LanguageModel
from training_app.selectors.imports import import_of


class BaseModelShape(serializers.ModelSerializer):
    """A base model. `embeddings`: /v1/embeddings may ask it."""

    embeddings = serializers.BooleanField(source="embeds")
    context_length = serializers.IntegerField()  # its bounds would follow the database, the schema must not

    class Meta:
        model = LanguageModel
        fields = ("id", "name", "digest", "parameters", "context_length", "licence", "embeddings", "created_at")


class ImportShape(serializers.ModelSerializer):
    """A base model on its way from a hub. `model` is its id once it is registered."""

    embeddings = serializers.BooleanField(source="embeds")
    model = serializers.CharField(source="model_id", allow_null=True)

    class Meta:
        model = BaseModelImport
        fields = (
            "id", "hub_id", "revision", "commit", "name", "licence", "embeddings", "state", "progress", "error", "model",
            "created_at", "finished_at",
        )  # fmt: skip


class BaseModelBody(serializers.Serializer):
    """Either `path`, a folder below STUDIO_HOME/import, or `hub_id`, with a `revision` where wanted."""

    name = serializers.CharField(max_length=80)
    path = serializers.CharField(max_length=200, required=False)
    hub_id = serializers.CharField(max_length=200, required=False)
    revision = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    licence = serializers.CharField(max_length=80, required=False, default="", allow_blank=True)
    embeddings = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("path")) == bool(attrs.get("hub_id")):
            raise serializers.ValidationError(
                {"path": "Give a folder, or the id of a model on the hub: one of the two."}
            )
        return attrs


class BaseModels(NativeView):
    """Base models of the workspace and of everybody."""

    actions: ClassVar[dict[str, str]] = {"GET": "models.view", "POST": "base_models.register"}
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="base_models_list", parameters=LIST_PARAMETERS, responses=page_of(BaseModelShape, "BaseModelsPage")
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        rows = selectors.base_models_of(self.workspace_id).order_by("-created_at", "-id")
        return self.listed(rows, lambda each: BaseModelShape(each).data)

    @extend_schema(
        operation_id="base_models_register",
        request=BaseModelBody,
        responses={
            201: BaseModelShape,
            202: ImportShape,
        },
    )
    def post(self, request: Request) -> Response:
        """201: registered, from a folder. 202: being fetched from the hub by a worker."""
        body = self.given(BaseModelBody)
        named = {"name": body["name"], "licence": body["licence"], "embeds": body["embeddings"]}
        if body.get("hub_id"):
            asked = services.request_import(
                self.actor, workspace_id=self.workspace_id, hub_id=body["hub_id"], revision=body["revision"], **named
            )
            return Response(ImportShape(asked).data, status=202)
        made = services.register_base_model(self.actor, workspace_id=self.workspace_id, path=body["path"], **named)
        return Response(BaseModelShape(made).data, status=201)


class BaseModelOne(NativeView):
    """One base model."""

    actions: ClassVar[dict[str, str]] = {"GET": "models.view"}

    @extend_schema(operation_id="base_models_read", responses=BaseModelShape)
    def get(self, request: Request, base_model_id: str) -> Response:
        return Response(BaseModelShape(selectors.base_model_of(self.workspace_id, base_model_id)).data)


class ImportOne(NativeView):
    """One base model on its way."""

    actions: ClassVar[dict[str, str]] = {"GET": "models.view"}

    @extend_schema(operation_id="base_models_import_read", responses=ImportShape)
    def get(self, request: Request, import_id: str) -> Response:
        return Response(ImportShape(import_of(self.workspace_id, import_id)).data)
