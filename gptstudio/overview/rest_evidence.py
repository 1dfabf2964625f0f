"""The evidence for a model, for programs."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.api.base import NativeView
from gptstudio.overview.evidence import evidence_of
from gptstudio.overview.evidence_wording import limits_of

EVIDENCE = inline_serializer(
    "Evidence",
    {
        "workspace": serializers.CharField(),
        "made": serializers.DictField(help_text="When and by whom this was asked for."),
        "model": serializers.DictField(),
        "not_good_for": serializers.ListField(
            child=serializers.CharField(), help_text="What the evidence does not cover."
        ),
        "data": serializers.ListField(
            child=serializers.DictField(),
            help_text="Versions that it learnt from: digests, files, counts of rows, leaks and personal data, recipe, review.",
        ),
        "training": serializers.ListField(
            child=serializers.DictField(), help_text="Its fine-tune, and those before it."
        ),
        "evaluation": serializers.DictField(allow_null=True, help_text="Scores with intervals; null: not evaluated."),
        "safety": serializers.DictField(allow_null=True, help_text="Checks with their limits, without examples."),
        "release": serializers.DictField(help_text="Policy, state, and who decided what and why."),
        "lineage": serializers.DictField(help_text="What it was tuned from, what came of it, and deployments."),
    },
)


class ModelEvidence(NativeView):
    """Everything that speaks for and against a model."""

    actions: ClassVar[dict[str, str]] = {"GET": "models.view"}

    @extend_schema(operation_id="models_evidence", responses=EVIDENCE)
    def get(self, request: Request, model_id: str) -> Response:
        """Counts, digests, scores and decisions; never a row. Needs `models:read`, `files:read` and `jobs:read`."""
        facts: dict[str, Any] = evidence_of(self.actor, model_id=model_id)
        return Response({**facts, "not_good_for": list(limits_of(facts))})
