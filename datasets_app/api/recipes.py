"""/api/v1/recipes: the steps there are, recipes to start from, the workspace's own, and a check of one."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app import recipes, selectors, services
from datasets_app.api import asked
from datasets_app.models import CurationRecipe
from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.api.etags import ETAG, IF_MATCH, Tagged


class RecipeShape(serializers.ModelSerializer):
    """A recipe under a name. `body` is what a version takes."""

    class Meta:
        model = CurationRecipe
        fields = ("id", "name", "body", "created_at", "changed_at")


class RecipeBody(serializers.Serializer):
    """A recipe to keep."""

    name = serializers.CharField(max_length=120)
    body = serializers.JSONField()


class CheckBody(serializers.Serializer):
    """A recipe to check."""

    body = serializers.JSONField()


class CheckShape(serializers.Serializer):
    """The recipe as it will be run."""

    body = serializers.JSONField()
    hides_personal_data = serializers.BooleanField(
        help_text="False: it keeps a type or looks for no names, so a reviewer must allow a version of it."
    )


class Recipes(NativeView):
    """The workspace's recipes."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view", "POST": "datasets.edit"}
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="recipes_list",
        parameters=[asked.ARCHIVED, *LIST_PARAMETERS],
        responses=page_of(RecipeShape, "RecipesPage"),
    )
    def get(self, request: Request) -> Response:
        return self.listed(
            selectors.recipes_of(self.workspace_id, archived=asked.flag(request.query_params, "archived")),
            lambda each: RecipeShape(each).data,
        )

    @extend_schema(operation_id="recipes_create", request=RecipeBody, responses={201: RecipeShape})
    def post(self, request: Request) -> Response:
        body = self.given(RecipeBody)
        made = services.create_recipe(self.actor, workspace_id=self.workspace_id, name=body["name"], body=body["body"])
        return Response(RecipeShape(made).data, status=201)


class RecipeOne(Tagged):
    """One recipe of the workspace."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view", "PUT": "datasets.edit", "DELETE": "datasets.edit"}
    parser_classes = [JSONParser]

    def shown(self, found: CurationRecipe) -> dict[str, Any]:
        return dict(RecipeShape(found).data)

    @extend_schema(operation_id="recipes_read", parameters=[ETAG], responses=RecipeShape)
    def get(self, request: Request, recipe_id: str) -> Response:
        return self.seen(selectors.recipe_of(self.workspace_id, recipe_id))

    @extend_schema(
        operation_id="recipes_change", parameters=[IF_MATCH, ETAG], request=RecipeBody, responses=RecipeShape
    )
    def put(self, request: Request, recipe_id: str) -> Response:
        with self.unchanged(lambda: selectors.recipe_of(self.workspace_id, recipe_id)) as recipe:
            body = self.given(RecipeBody)
            return self.seen(services.update_recipe(self.actor, recipe=recipe, name=body["name"], body=body["body"]))

    @extend_schema(operation_id="recipes_archive", parameters=[IF_MATCH], responses={204: None})
    def delete(self, request: Request, recipe_id: str) -> Response:
        with self.unchanged(lambda: selectors.recipe_of(self.workspace_id, recipe_id)) as recipe:
            services.archive_recipe(self.actor, recipe=recipe)
        return Response(status=204)


class RestoreRecipe(NativeView):
    """The way back."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}
    parser_classes = [JSONParser]

    @extend_schema(operation_id="recipes_restore", request=None, responses=RecipeShape)
    def post(self, request: Request, recipe_id: str) -> Response:
        """Bring back what was put away; 409 where another recipe has its name by now."""
        found = selectors.recipe_of(self.workspace_id, recipe_id, also_archived=True)
        return Response(RecipeShape(services.restore_recipe(self.actor, recipe=found)).data)


class Steps(NativeView):
    """The steps there are, in their order, with every option."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(operation_id="recipes_steps", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Each step's `kind`, `title`, `why`, and `options` with type, default and choices."""
        return Response({"data": recipes.catalogue()})


class Presets(NativeView):
    """Whole recipes to start from."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(operation_id="recipes_presets", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response({"data": list(recipes.PRESETS)})


class Check(NativeView):
    """Whether a recipe can be run."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.view"}
    parser_classes = [JSONParser]

    @extend_schema(operation_id="recipes_check", request=CheckBody, responses=CheckShape)
    def post(self, request: Request) -> Response:
        """400 with a sentence when it cannot."""
        body = recipes.checked(self.given(CheckBody)["body"])
        recipes.check_hiding(body)
        return Response({"body": body, "hides_personal_data": recipes.hides_personal_data(body)})
