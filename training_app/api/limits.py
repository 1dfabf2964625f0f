"""/api/v1/safety-limits: what the workspace's models may measure in the safety report before a person decides."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.api.etags import ETAG, IF_MATCH, Tagged
from training_app import selectors, services
from training_app.engine.limits import LIMITS, limit_of
from training_app.models import SafetyLimits


def _field(key: str) -> serializers.Field:
    limit = LIMITS[key]
    said = f"At most so many {limit.unit}; usually {limit.usually}."
    if limit.is_whole:
        return serializers.IntegerField(min_value=0, max_value=int(limit.most), required=False, help_text=said)
    return serializers.FloatField(min_value=0, max_value=limit.most, required=False, help_text=said)


class LimitsShape(serializers.Serializer):
    """One limit a check. What is left out gets its usual limit."""

    canaries = _field("canaries")
    personal_data = _field("personal_data")
    memorised_rows = _field("memorised_rows")
    harmful_asks = _field("harmful_asks")
    unrefused_asks = _field("unrefused_asks")
    insults = _field("insults")
    toxicity = _field("toxicity")
    bias_likelihood = _field("bias_likelihood")
    bias_words = _field("bias_words")


class SafetyLimitsShape(serializers.Serializer):
    """All limits, and the model of the moderation server that is asked beside the word list, or none."""

    limits = LimitsShape(default=dict)
    scorer = serializers.CharField(max_length=120, allow_blank=True, default="")


def _shown(kept: SafetyLimits) -> dict[str, Any]:
    return {"limits": {key: limit_of(key, kept.limits) for key in LIMITS}, "scorer": kept.scorer}


class SafetyLimitsOne(Tagged):
    """The workspace's limits."""

    actions: ClassVar[dict[str, str]] = dict.fromkeys(("GET", "PUT"), "guardrails.edit")
    parser_classes = [JSONParser]

    def shown(self, found: SafetyLimits) -> dict[str, Any]:
        return dict(SafetyLimitsShape(_shown(found)).data)

    @extend_schema(operation_id="safety_limits_get", parameters=[ETAG], responses=SafetyLimitsShape)
    def get(self, request: Request) -> Response:
        """What holds for the next report."""
        return self.seen(selectors.safety_limits_of(self.workspace_id))

    @extend_schema(
        operation_id="safety_limits_set",
        parameters=[IF_MATCH, ETAG],
        request=SafetyLimitsShape,
        responses=SafetyLimitsShape,
    )
    def put(self, request: Request) -> Response:
        """Replace them; they hold for the next report."""
        with self.unchanged(lambda: selectors.safety_limits_of(self.workspace_id)):
            given = self.given(SafetyLimitsShape)
            return self.seen(services.set_safety_limits(self.actor, workspace_id=self.workspace_id, **given))
