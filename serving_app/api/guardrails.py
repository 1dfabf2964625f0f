"""/api/v1/guardrails: what prompts and answers of the workspace may say."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app.curation.filters.lexicon import CATEGORIES
from gptstudio.api.etags import ETAG, IF_MATCH, Tagged
from serving_app import selectors, services
from serving_app.models import Guardrails
from serving_app.services.guardrails import MOST_DAYS, PERSONAL


class SideShape(serializers.Serializer):
    """What one side is held to. `lexicon`: categories of the word list of `/v1/moderations`; `patterns` as in RE2."""

    words = serializers.ListField(child=serializers.CharField(), default=list)
    patterns = serializers.ListField(child=serializers.CharField(), default=list)
    lexicon = serializers.ListField(child=serializers.ChoiceField(CATEGORIES), default=list)


class PromptsShape(SideShape):
    """Prompts that break a rule are refused; personal data in them may also be hidden from the model."""

    personal_data = serializers.ChoiceField(PERSONAL["prompts"], default="allow")


class AnswersShape(SideShape):
    """Answers that break a rule end there."""

    personal_data = serializers.ChoiceField(PERSONAL["answers"], default="allow")


class GuardrailsShape(serializers.Serializer):
    """Both sides, and what is kept. What is left out of a side is allowed."""

    prompts = PromptsShape(default=dict)
    answers = AnswersShape(default=dict)
    keep_days = serializers.IntegerField(
        allow_null=True,
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        help_text="For how many days questions and answers are kept, scrubbed of personal data. Null: not at all, and what is "
        "kept is deleted; left out: as before.",
    )
    review_days = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        help_text="For how many days feedback and what review items quote are kept, scrubbed. Left out: as before.",
    )


def _shown(kept: Guardrails) -> dict[str, Any]:
    nothing: dict[str, Any] = {"personal_data": "allow", "words": [], "patterns": [], "lexicon": []}
    sides = {"prompts": nothing | kept.prompts, "answers": nothing | kept.answers}
    return {**sides, "keep_days": kept.keep_days, "review_days": kept.review_days}


class GuardrailsOne(Tagged):
    """The workspace's guardrails."""

    actions: ClassVar[dict[str, str]] = dict.fromkeys(("GET", "PUT"), "guardrails.edit")
    parser_classes = [JSONParser]

    def shown(self, found: Guardrails) -> dict[str, Any]:
        return _shown(found)

    @extend_schema(operation_id="guardrails_get", parameters=[ETAG], responses=GuardrailsShape)
    def get(self, request: Request) -> Response:
        """What holds now."""
        return self.seen(selectors.guardrails_of(self.workspace_id))

    @extend_schema(
        operation_id="guardrails_set", parameters=[IF_MATCH, ETAG], request=GuardrailsShape, responses=GuardrailsShape
    )
    def put(self, request: Request) -> Response:
        """Replace both sides; it holds from the next request on. With `keep_days` null what is kept is deleted."""
        with self.unchanged(lambda: selectors.guardrails_of(self.workspace_id)):
            given = self.given(GuardrailsShape)
            return self.seen(services.set_guardrails(self.actor, workspace_id=self.workspace_id, **given))
