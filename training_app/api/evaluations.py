"""/api/v1/evaluations: how fine-tunes do on their test rows against their base models, and the rows behind it."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app.services import open_test_rows
from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.core.errors import Invalid
from training_app import selectors
from training_app.models import Evaluation
from training_app.selectors.answers import answers_of
from training_app.verdict_wording import outcome_of, verdict_of

MOST_ROWS = 100
START = OpenApiParameter("start", {"type": "integer", "minimum": 0}, description="The first row; 0 when not given.")
LIMIT = OpenApiParameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": MOST_ROWS}, description="Rows a page; 20 when not given."
)


class VerdictShape(serializers.Serializer):
    """`said` is better, worse or no_difference; empty where no interval was measured."""

    said = serializers.CharField(allow_blank=True)
    title = serializers.CharField()
    detail = serializers.CharField()


class EvaluationShape(serializers.ModelSerializer):
    """One fine-tune on its test rows. `intervals` are of the differences, fine-tune minus base, by metric."""

    model_id = serializers.CharField()
    model_name = serializers.CharField(source="model.name")
    version = serializers.CharField(source="version_id")
    rows = serializers.IntegerField()
    verdict = serializers.SerializerMethodField()
    headline = serializers.SerializerMethodField(help_text="The metric that the verdict is about.")
    base = serializers.JSONField(source="base_scores")
    tuned = serializers.JSONField(source="tuned_scores")

    class Meta:
        model = Evaluation
        fields = (
            "id", "model_id", "model_name", "version", "rows", "verdict", "headline", "base", "tuned", "is_safe",
            "created_at",
        )  # fmt: skip

    @extend_schema_field(VerdictShape)
    def get_verdict(self, evaluation: Evaluation) -> dict[str, str]:
        found = verdict_of(evaluation.result, rows=evaluation.rows)
        return {"said": found.said, "title": found.title, "detail": found.detail}

    def get_headline(self, evaluation: Evaluation) -> str:
        return str(evaluation.result.get("headline", ""))


class WholeEvaluationShape(EvaluationShape):
    """The same with how it was counted, the parts it comes from, and the safety report."""

    interval = serializers.SerializerMethodField(help_text="How intervals are drawn.")
    intervals = serializers.SerializerMethodField(help_text="By metric.")
    decoding = serializers.SerializerMethodField()
    signatures = serializers.SerializerMethodField(help_text="How each metric was counted.")
    labels = serializers.SerializerMethodField(help_text="Table of classes and confusions; null without labels.")
    classes = serializers.SerializerMethodField(help_text="The headline metric by label.")
    lengths = serializers.SerializerMethodField(help_text="The headline metric by words of the question.")
    safety = serializers.SerializerMethodField(
        help_text="Of each check `outcome` is fine, over, not_tried or no_limit. Examples of answers only with `datasets.view`: "
        "they may quote rows."
    )

    class Meta(EvaluationShape.Meta):
        fields = (  # type: ignore[assignment]
            *EvaluationShape.Meta.fields, "interval", "intervals", "decoding", "signatures", "labels", "classes",
            "lengths", "safety",
        )  # fmt: skip

    def get_safety(self, evaluation: Evaluation) -> dict[str, Any]:
        checks = [{**check, "outcome": outcome_of(check)} for check in evaluation.safety.get("checks", [])]
        if not self.context["with_texts"]:
            checks = [{**check, "examples": []} for check in checks]
        return {**evaluation.safety, "checks": checks} if evaluation.safety else {}

    def get_interval(self, evaluation: Evaluation) -> dict[str, Any]:
        return dict(evaluation.result.get("interval", {}))

    def get_intervals(self, evaluation: Evaluation) -> dict[str, Any]:
        return dict(evaluation.result.get("intervals", {}))

    def get_decoding(self, evaluation: Evaluation) -> dict[str, Any]:
        return dict(evaluation.result.get("decoding", {}))

    def get_signatures(self, evaluation: Evaluation) -> dict[str, str]:
        return dict(evaluation.result.get("signatures", {}))

    @extend_schema_field({"type": "object", "nullable": True})
    def get_labels(self, evaluation: Evaluation) -> dict[str, Any] | None:
        found: dict[str, Any] | None = evaluation.result.get("labels")
        return found

    def get_classes(self, evaluation: Evaluation) -> list[dict[str, Any]]:
        return list(evaluation.result.get("classes", []))

    def get_lengths(self, evaluation: Evaluation) -> list[dict[str, Any]]:
        return list(evaluation.result.get("lengths", []))


class Evaluations(NativeView):
    """Evaluations of the workspace's fine-tunes."""

    actions: ClassVar[dict[str, str]] = {"GET": "models.view"}

    @extend_schema(
        operation_id="evaluations_list",
        parameters=LIST_PARAMETERS,
        responses=page_of(EvaluationShape, "EvaluationsPage"),
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        rows = selectors.evaluations_of(self.workspace_id).order_by("-created_at", "-id")
        return self.listed(rows, lambda each: EvaluationShape(each).data)


class EvaluationOne(NativeView):
    """One evaluation."""

    actions: ClassVar[dict[str, str]] = {"GET": "models.view"}

    @extend_schema(operation_id="evaluations_read", responses=WholeEvaluationShape)
    def get(self, request: Request, evaluation_id: str) -> Response:
        """Scores, intervals, classes, and the safety report."""
        found = selectors.evaluation_with_id(self.workspace_id, evaluation_id)
        context = {"with_texts": self.actor.may("datasets.view")}
        return Response(WholeEvaluationShape(found, context=context).data)


class EvaluationRows(NativeView):
    """Its test rows with both answers."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(
        operation_id="evaluations_rows",
        parameters=[START, LIMIT],
        responses=inline_serializer(
            "EvaluationRows",
            {"data": serializers.ListField(child=serializers.DictField()), "rows": serializers.IntegerField()},
        ),
    )
    def get(self, request: Request, evaluation_id: str) -> Response:
        """In the order in which they were measured. They are test rows: the audit log says who opened them."""
        found = selectors.evaluation_with_id(self.workspace_id, evaluation_id)
        start, limit = (self._number(name, fallback) for name, fallback in (("start", 0), ("limit", 20)))
        if not 1 <= limit <= MOST_ROWS:
            raise Invalid(f"limit is {limit}.", fix=f"Ask for 1 to {MOST_ROWS} rows.", param="limit")
        open_test_rows(self.actor, version=found.version)
        return Response({"data": answers_of(found, range(start, start + limit)), "rows": found.rows})

    def _number(self, name: str, fallback: int) -> int:
        given = self.request.query_params.get(name, str(fallback))
        if not given.isdecimal() or len(given) > 9:
            raise Invalid(f"{name} is {given[:40]!r}.", fix="Give a whole number from 0 upwards.", param=name)
        return int(given)
