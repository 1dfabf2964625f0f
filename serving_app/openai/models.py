"""/v1/models and /v1/models/{model}: what this key may call, by the names that it may call it by."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.http import JsonResponse
from rest_framework.request import Request

from gptstudio.accounts.models import ApiKey
from gptstudio.core.errors import Conflict, NotAllowed, NotFound
from gptstudio.review.selectors import rejected_ids
from serving_app import selectors
from serving_app.models import Deployment
from serving_app.openai.base import OpenAIView
from training_app import services
from training_app.models import LanguageModel, ModelKind
from training_app.selectors import base_models_of, model_named, models_of, released_ids

OWNER = "gpt-studio"


def model_body(model: LanguageModel) -> dict[str, Any]:
    """OpenAI's model object."""
    owner = model.workspace_id or OWNER
    return {"id": model.name, "object": "model", "created": int(model.created_at.timestamp()), "owned_by": owner}


def deployment_body(deployment: Deployment) -> dict[str, Any]:
    """A deployment's name is called like a model's."""
    created = int(deployment.created_at.timestamp())
    return {"id": deployment.name, "object": "model", "created": created, "owned_by": deployment.workspace_id}


class ModelViews(OpenAIView):
    """What both views share."""

    actions: ClassVar[dict[str, str]] = {"GET": "models.view"}

    def bodies(self) -> list[dict[str, Any]]:
        """Base models first, then fine-tunes that this key may call, then deployments."""
        released = released_ids(self.workspace_id)
        preview = self.actor.may("models.preview")
        tuned = models_of(self.workspace_id).exclude(kind=ModelKind.BASE)
        refused = rejected_ids(self.workspace_id, kind="model")
        callable_now = [model for model in tuned if model.id in released or (preview and model.id not in refused)]
        deployments = list(selectors.deployments_of(self.workspace_id))
        taken = {each.name for each in deployments}  # a deployment goes on answering for its name
        models = [*(each for each in base_models_of(self.workspace_id) if each.name not in taken), *callable_now]
        bodies = [*map(model_body, models), *map(deployment_body, deployments)]
        key = cast(ApiKey, self.request.auth)  # nothing else opens these views
        return [each for each in bodies if key.may_ask(each["id"])]


class Models(ModelViews):
    """The whole list: this one has no pages."""

    def get(self, request: Request) -> JsonResponse:
        return JsonResponse({"object": "list", "data": self.bodies()})


class Model(ModelViews):
    """One of them; deleting puts a model away for good, which no released one is."""

    actions: ClassVar[dict[str, str]] = {"GET": "models.view", "DELETE": "models.archive"}

    def get(self, request: Request, name: str) -> JsonResponse:
        found = next((body for body in self.bodies() if body["id"] == name), None)
        if found is None:
            raise _unknown(name)
        return JsonResponse(found)

    def delete(self, request: Request, name: str) -> JsonResponse:
        if not cast(ApiKey, self.request.auth).may_ask(name):
            raise _unknown(name)
        if selectors.deployment_named(self.workspace_id, name) is not None:
            raise Conflict(f"`{name}` is a deployment, which is no model of its own.", fix="Retire it instead.")
        model = model_named(self.workspace_id, name)
        if model is None:
            raise _unknown(name)
        if model.workspace_id is None:
            raise NotAllowed(f"{model} came with the studio, for all workspaces: no key puts it away.")
        services.archive_model(self.actor, model=model)
        return JsonResponse({"id": name, "object": "model", "deleted": True})


def _unknown(name: str) -> NotFound:
    return NotFound(f"The model `{name[:200]}` does not exist.", code="model_not_found", param="model")
