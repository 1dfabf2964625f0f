"""Use cases to begin with, for programs."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app import selectors
from gptstudio.api.base import NativeView
from gptstudio.overview.use_cases.catalogue import UseCase, use_case, use_cases
from gptstudio.overview.use_cases.starting import start_use_case

PARTS: dict[str, serializers.Field] = {
    "recipe": serializers.JSONField(help_text="Curation steps with their options, and the instructions."),
    "preset": serializers.CharField(help_text="The training preset that suits it."),
    "system_prompt": serializers.CharField(),
    "questions": serializers.ListField(child=serializers.CharField(), help_text="To ask a model that learnt from it."),
}
USE_CASE = inline_serializer(
    "UseCase",
    {
        "id": serializers.CharField(),
        "title": serializers.CharField(),
        "hint": serializers.CharField(),
        "sample": inline_serializer(
            "UseCaseSample",
            {"file": serializers.CharField(), "rows": serializers.IntegerField(help_text="Made up, of nobody.")},
        ),
        **PARTS,
    },
)
USE_CASES = inline_serializer("UseCaseList", {"data": serializers.ListField(child=USE_CASE)})
BEGUN = inline_serializer(
    "BegunUseCase",
    {
        "dataset_id": serializers.CharField(),
        "name": serializers.CharField(),
        "files": serializers.ListField(child=serializers.CharField(), help_text="None, without the sample."),
        **PARTS,
    },
)


class UseCaseStart(serializers.Serializer):
    """How to begin."""

    name = serializers.CharField(required=False, max_length=120, help_text="Of the data set.")
    sample = serializers.BooleanField(
        required=False, default=True, help_text="False: the data set waits for a file of your own."
    )


def _parts(aim: dict[str, Any]) -> dict[str, Any]:
    return {
        "recipe": aim["recipe"],
        "preset": aim["preset"],
        "system_prompt": aim["recipe"]["system_prompt"],
        "questions": aim["questions"],
    }


def _shown(case: UseCase) -> dict[str, Any]:
    sample = {"file": case.file, "rows": case.rows}
    return {"id": case.key, "title": case.title, "hint": case.hint, "sample": sample, **_parts(case.aim)}


class UseCases(NativeView):
    """What people start from."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(operation_id="use_cases_list", responses=USE_CASES)
    def get(self, request: Request) -> Response:
        """Each with its recipe, training preset, instructions, sample data and questions."""
        return Response({"data": [_shown(each) for each in use_cases()]})


class StartUseCase(NativeView):
    """Begin with one of them."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}
    parser_classes = [JSONParser]

    @extend_schema(operation_id="use_cases_start", request=UseCaseStart, responses={201: BEGUN})
    def post(self, request: Request, use_case_key: str) -> Response:
        """Make a data set of it. A version of that, asked for without a recipe, is made with this one."""
        case = use_case(use_case_key)
        given = self.given(UseCaseStart)
        dataset = start_use_case(
            self.actor,
            workspace_id=self.workspace_id,
            case=case,
            name=given.get("name", ""),
            with_sample=given["sample"],
        )
        files = [each.id for each in selectors.live_files(dataset)]
        begun = {"dataset_id": dataset.id, "name": dataset.name, "files": files}
        return Response({**begun, **_parts(dataset.aim)}, status=201)
