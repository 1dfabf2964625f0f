"""/api/v1/blind-comparisons: which of two models people preferred without knowing which is which."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from training_app import selectors, services
from training_app.models import BlindComparison
from training_app.services.judging import FEWEST, MOST, USUAL


class PreferenceShape(serializers.Serializer):
    """How much more often the second is preferred (−1 to 1), its 95 % interval; `said` is first, second, no_difference.

    The interval draws rows that belong together as one. `too_few`: fewer than six groups of rows tell them apart.
    """

    difference = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    too_few = serializers.BooleanField()
    said = serializers.CharField()


class AgreementShape(serializers.Serializer):
    """Over rows that two or more judged: pairs of judges who agree, and the kappa named, where enough rows are."""

    rows = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)
    kappa = serializers.FloatField(allow_null=True)
    name = serializers.CharField(allow_blank=True)


class ResultsShape(serializers.Serializer):
    """Judgements by choice. `groups`: how many of rows that belong together the rows are of."""

    rows = serializers.IntegerField()
    groups = serializers.IntegerField()
    judges = serializers.IntegerField()
    judgements = serializers.IntegerField()
    first = serializers.IntegerField()
    second = serializers.IntegerField()
    ties = serializers.IntegerField()
    preference = PreferenceShape()
    agreement = AgreementShape()


class ComparisonShape(serializers.ModelSerializer):
    """Two models on the same test rows. `results` are null until it has ended."""

    first = serializers.CharField(source="first_name")
    second = serializers.CharField(source="second_name")
    first_side = serializers.CharField(help_text="base or tuned")
    second_side = serializers.CharField(help_text="base or tuned")
    first_evaluation = serializers.CharField(source="first_id")
    second_evaluation = serializers.CharField(source="second_id")
    rows = serializers.SerializerMethodField()
    results = serializers.SerializerMethodField()

    class Meta:
        model = BlindComparison
        fields = (
            "id", "first", "first_side", "first_evaluation", "second", "second_side", "second_evaluation", "rows",
            "results", "created_at", "ended_at",
        )  # fmt: skip

    def get_rows(self, comparison: BlindComparison) -> int:
        return len(comparison.rows)

    @extend_schema_field(ResultsShape(allow_null=True))
    def get_results(self, comparison: BlindComparison) -> dict[str, Any] | None:
        return services.results_of(comparison)


class ComparisonBody(serializers.Serializer):
    """A fine-tune's evaluation, against that of another one or, without `against`, the base model's answers beside it."""

    evaluation = serializers.CharField(max_length=48)
    against = serializers.CharField(max_length=48, required=False, allow_null=True, default=None)
    rows = serializers.IntegerField(min_value=FEWEST, max_value=MOST, required=False, default=USUAL)


class BlindComparisons(NativeView):
    """The workspace's blind comparisons."""

    actions: ClassVar[dict[str, str]] = {"GET": "training.view", "POST": "training.edit"}
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="blind_comparisons_list",
        parameters=LIST_PARAMETERS,
        responses=page_of(ComparisonShape, "BlindComparisonsPage"),
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        return self.listed(selectors.comparisons_of(self.workspace_id), lambda each: ComparisonShape(each).data)

    @extend_schema(operation_id="blind_comparisons_start", request=ComparisonBody, responses={201: ComparisonShape})
    def post(self, request: Request) -> Response:
        """Rows are drawn where the two answered differently. People judge in the browser; a trainer ends it there."""
        body = self.given(ComparisonBody)
        found, against = (
            selectors.evaluation_with_id(self.workspace_id, body[name]) if body[name] else None
            for name in ("evaluation", "against")
        )
        assert found is not None  # noqa: S101 - the body has it
        made = services.start_comparison(
            self.actor, workspace_id=self.workspace_id, evaluation=found, against=against, rows=body["rows"]
        )
        return Response(ComparisonShape(made).data, status=201)


class BlindComparisonOne(NativeView):
    """One blind comparison."""

    actions: ClassVar[dict[str, str]] = {"GET": "training.view"}

    @extend_schema(operation_id="blind_comparisons_read", responses=ComparisonShape)
    def get(self, request: Request, comparison_id: str) -> Response:
        """With its results, once it has ended."""
        return Response(ComparisonShape(selectors.comparison_of(self.workspace_id, comparison_id)).data)
