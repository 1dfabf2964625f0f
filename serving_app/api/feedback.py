"""/api/v1/completions/{id}/feedback and /api/v1/feedback: what is thought of answers, and rows made from it."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets_app.selectors import dataset_of
from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from serving_app import services
from serving_app.models import Feedback, Rating
from serving_app.selectors.feedback import feedback_of


class FeedbackBody(serializers.Serializer):
    """Thumbs, a correction, or both. `messages`: what was asked, where the workspace keeps no texts."""

    rating = serializers.ChoiceField(Rating.choices, required=False, default="")
    correction = serializers.CharField(required=False, default="", allow_blank=True, max_length=20_000)
    messages = serializers.ListField(child=serializers.JSONField(), required=False, allow_null=True, default=None)


class FeedbackShape(serializers.ModelSerializer):
    """`state` is that of the review; null where nobody has to look. `file` has the row once it was made into one."""

    request = serializers.CharField(source="request_id")
    model = serializers.CharField(source="request.model.name")
    state = serializers.CharField(allow_null=True, default=None)
    file = serializers.CharField(source="file_id", allow_null=True)
    question = inline_serializer(
        "FeedbackTurn", {"role": serializers.CharField(), "content": serializers.CharField()}, many=True
    )

    class Meta:
        model = Feedback
        fields = (
            "id",
            "request",
            "model",
            "rating",
            "correction",
            "question",
            "state",
            "file",
            "created_at",
            "erased_at",
        )


class CompletionFeedback(NativeView):
    """Feedback on one request, by the id in its answer's `x-request-id`, or by the answer's own `id`."""

    actions: ClassVar[dict[str, str]] = {"POST": "models.use"}
    parser_classes = [JSONParser]

    @extend_schema(operation_id="completions_feedback", request=FeedbackBody, responses={201: FeedbackShape})
    def post(self, request: Request, request_id: str) -> Response:
        """A bad rating or a correction waits for a reviewer. Given again it replaces what was given."""
        given = services.give_feedback(
            self.actor, workspace_id=self.workspace_id, request_id=request_id, **self.given(FeedbackBody)
        )
        return Response(self._shown(given), status=201)

    def _shown(self, given: Feedback) -> Any:
        return FeedbackShape(feedback_of(self.workspace_id).filter(id=given.id).first()).data


class FeedbackList(NativeView):
    """All feedback of the workspace."""

    actions: ClassVar[dict[str, str]] = {"GET": "reviews.view"}

    @extend_schema(
        operation_id="feedback_list", parameters=LIST_PARAMETERS, responses=page_of(FeedbackShape, "FeedbackPage")
    )
    def get(self, request: Request) -> Response:
        return self.listed(feedback_of(self.workspace_id), lambda each: FeedbackShape(each).data)


class ExportBody(serializers.Serializer):
    """Where the file goes; null: a data set of its own."""

    dataset = serializers.CharField(required=False, allow_null=True, default=None)


class FeedbackExport(NativeView):
    """Accepted corrections as a file of chat messages."""

    actions: ClassVar[dict[str, str]] = {"POST": "datasets.edit"}
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="feedback_export",
        request=ExportBody,
        responses={
            201: inline_serializer(
                "FeedbackFile", {"file": serializers.CharField(), "dataset": serializers.CharField()}
            )
        },
    )
    def post(self, request: Request) -> Response:
        """Each correction goes into one file only."""
        wanted = self.given(ExportBody)["dataset"]
        dataset = dataset_of(self.workspace_id, wanted) if wanted else None
        file = services.export_corrections(self.actor, workspace_id=self.workspace_id, dataset=dataset)
        return Response({"file": file.id, "dataset": file.dataset_id}, status=201)
