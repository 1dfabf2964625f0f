"""Asking why for programs: the training rows nearest to an answer, and what a row taught."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app import services
from datasets_app.api import asked
from datasets_app.api.versions import OfVersion
from datasets_app.contents.nearest import LikeRow
from gptstudio.api.base import NativeView
from gptstudio.core.errors import Invalid
from gptstudio.overview import why as asked_why
from gptstudio.overview.why import HOW_TO_GIVE, MOST_CHARACTERS, NOT_KEPT, Said

CAUTION = "Likeness is not proof that a row caused the answer."
TURN = inline_serializer("WhyTurn", {"role": serializers.CharField(), "content": serializers.CharField()}, many=True)


class WhyBody(serializers.Serializer):
    """The answer that is asked about. Left out: what the workspace keeps of it, for who may read that."""

    answer = serializers.CharField(required=False, allow_null=True, default=None, max_length=MOST_CHARACTERS)
    prompt = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=MOST_CHARACTERS, help_text="The question before it."
    )
    choice = serializers.IntegerField(required=False, default=1, min_value=1, help_text="Which of the kept answers.")
    limit = serializers.IntegerField(required=False, default=10, min_value=1, max_value=50)


WHY = inline_serializer(
    "Why",
    {
        "request": serializers.CharField(),
        "model": serializers.CharField(),
        "version": serializers.CharField(allow_null=True, help_text="What was looked through."),
        "missing": serializers.CharField(allow_blank=True, help_text="Why there is nothing to look through."),
        "caution": serializers.CharField(),
        "rows": inline_serializer(
            "WhyRow",
            {
                "split": serializers.CharField(),
                "place": serializers.IntegerField(),
                "file": serializers.CharField(),
                "row": serializers.IntegerField(),
                "part": serializers.IntegerField(),
                "label": serializers.CharField(allow_null=True),
                "likeness": serializers.FloatField(
                    help_text="Two thirds answer, one third prompt.", min_value=0, max_value=1
                ),
                "answer_likeness": serializers.FloatField(min_value=0, max_value=1),
                "prompt_likeness": serializers.FloatField(min_value=0, max_value=1),
                "same_run": serializers.IntegerField(help_text="The longest run of words that both answers have."),
                "near_copies": serializers.IntegerField(help_text="Itself included."),
                "messages": TURN,
            },
            many=True,
        ),
    },
)
TAUGHT = inline_serializer(
    "Taught",
    {
        "models": inline_serializer(
            "TaughtModel",
            {
                "id": serializers.CharField(),
                "name": serializers.CharField(),
                "version": serializers.CharField(allow_null=True, help_text="Null: tuned from one that learnt it."),
                "place": serializers.IntegerField(
                    allow_null=True, help_text="Of the row among that version's `train`."
                ),
                "same_text": serializers.BooleanField(allow_null=True),
            },
            many=True,
        ),
        "deployments": inline_serializer(
            "TaughtDeployment",
            {
                "id": serializers.CharField(),
                "name": serializers.CharField(),
                "models": serializers.ListField(child=serializers.CharField()),
            },
            many=True,
        ),
    },
)


def _row(each: LikeRow) -> dict[str, Any]:
    return {
        "split": each.row["split"],
        **{name: each.row[name] for name in ("place", "file", "row", "part", "label")},
        "likeness": round(each.near.likeness, 4),
        "answer_likeness": round(each.near.answered, 4),
        "prompt_likeness": round(each.near.asked, 4),
        "same_run": each.run,
        "near_copies": each.copies,
        "messages": [{"role": turn["role"], "content": turn["content"] or ""} for turn in each.messages],
    }


class CompletionWhy(NativeView):
    """Why a request was answered so, by the id in its answer's `x-request-id`. No answer is kept for repeats: it quotes rows."""

    replays = False
    actions: ClassVar[dict[str, str]] = {"POST": "datasets.view"}
    parser_classes = [JSONParser]

    @extend_schema(operation_id="completions_why", request=WhyBody, responses=WHY)
    def post(self, request: Request, request_id: str) -> Response:
        """The training rows most like the answer, the nearest first. Nothing of what is sent is kept."""
        subject, model = asked_why.answered(self.workspace_id, request_id)
        body = self.given(WhyBody)
        said: Said | None = Said(body["prompt"], body["answer"] or "")
        if body["answer"] is None:
            said = asked_why.said_in(self.actor, request=subject, choice=body["choice"])
        if said is None:
            raise Invalid(NOT_KEPT, fix=HOW_TO_GIVE, param="answer", code="answer_needed")
        found = asked_why.why(self.actor, model=model, said=said, limit=body["limit"])
        return Response(
            {
                "request": subject.id,
                "model": model.name,
                "version": found.version.id if found.version else None,
                "missing": found.missing,
                "caution": CAUTION,
                "rows": [_row(each) for each in found.rows],
            }
        )


class RowTaught(OfVersion):
    """What a row taught."""

    actions: ClassVar[dict[str, str]] = {"GET": "datasets.view"}

    @extend_schema(operation_id="rows_taught", parameters=[asked.REVEAL], responses=TAUGHT)
    def get(self, request: Request, dataset_id: str, version_id: str, split: str, place: int) -> Response:
        """Every model that learnt from the record behind it, in whichever version, and the deployments that answer with
        one. Of test rows only with `reveal_test=true`, which is written down."""
        version = self.version(dataset_id, version_id)
        asked.check_revealed(split, revealed=asked.flag(request.query_params, "reveal_test"))
        if split == "test":
            services.open_test_rows(self.actor, version=version)
        found = asked_why.taught_by(self.workspace_id, version=version, split=split, place=place)
        models = [
            {
                "id": model.id,
                "name": model.name,
                "version": standing.version.id,
                "place": standing.place,
                "same_text": standing.is_same,
            }
            for model, standing in found.models
        ]
        deployments = [{"id": each.id, "name": each.name, "models": used} for each, used in found.deployments]
        return Response({"models": models, "deployments": deployments})
