"""/api/v1/reviews: what waits for a decision and what was decided, under the workspace's release policy as everywhere."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.core.errors import Invalid
from gptstudio.review import selectors, services
from gptstudio.review.models import ReviewDecision, ReviewItem, ReviewState

LONGEST_REASON = 2_000


class ReviewDecisionShape(serializers.ModelSerializer):
    """One decision. `pending` is the decision to put a rejected item back."""

    decided_by = serializers.CharField(source="decided_by_label")

    class Meta:
        model = ReviewDecision
        fields = ("verdict", "reason", "decided_by", "at")


class ReviewShape(serializers.ModelSerializer):
    """Something that waits, or waited, for a person; the last decision first."""

    kind = serializers.CharField(help_text="What it is about: model, version, prompt, answer, feedback…")
    evidence = serializers.JSONField(help_text="What a reviewer sees of it.")
    decisions = ReviewDecisionShape(many=True)

    class Meta:
        model = ReviewItem
        fields = (
            "id", "kind", "subject_id", "title", "state", "requested_by", "evidence", "decisions", "created_at", "decided_at",
        )  # fmt: skip


class ReviewReasonBody(serializers.Serializer):
    """Why, for the audit log."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class ReviewDecisionBody(ReviewReasonBody):
    """A decision."""

    verdict = serializers.ChoiceField([ReviewState.APPROVED.value, ReviewState.REJECTED.value])


class ReviewViews(NativeView):
    """What these views share."""

    parser_classes = [JSONParser]

    def item(self, review_id: str) -> ReviewItem:
        return selectors.item_of(self.workspace_id, review_id)

    def shown(self, review_id: str) -> Response:
        return Response(ReviewShape(self.item(review_id)).data)


class Reviews(ReviewViews):
    """The queue, and what has left it."""

    actions: ClassVar[dict[str, str]] = {"GET": "reviews.view"}

    @extend_schema(
        operation_id="reviews_list",
        parameters=[
            *LIST_PARAMETERS,
            OpenApiParameter("state", str, enum=list(ReviewState.values), description="Only those that stand so."),
        ],
        responses=page_of(ReviewShape, "ReviewsPage"),
    )
    def get(self, request: Request) -> Response:
        """Items, newest first."""
        items = selectors.items_of(self.workspace_id).prefetch_related("decisions")
        state = request.query_params.get("state")
        if state is not None:
            if state not in ReviewState.values:
                known = ", ".join(ReviewState.values)
                raise Invalid(f"state is {state[:40]!r}.", fix=f"Use one of {known}.", param="state")
            items = items.filter(state=state)
        return self.listed(items, lambda item: ReviewShape(item).data)


class Review(ReviewViews):
    """One item."""

    actions: ClassVar[dict[str, str]] = {"GET": "reviews.view"}

    @extend_schema(operation_id="reviews_read", responses=ReviewShape)
    def get(self, request: Request, review_id: str) -> Response:
        """The item, its evidence and all that was decided."""
        return self.shown(review_id)


class DecideReview(ReviewViews):
    """Approve or reject."""

    actions: ClassVar[dict[str, str]] = {"POST": "reviews.decide"}

    @extend_schema(operation_id="reviews_decide", request=ReviewDecisionBody, responses=ReviewShape)
    def post(self, request: Request, review_id: str) -> Response:
        """Decide. Where two people are needed, a key of the person who made the thing cannot approve it."""
        item = self.item(review_id)
        services.decide(self.actor, item=item, **self.given(ReviewDecisionBody))
        return self.shown(review_id)


class ReopenReview(ReviewViews):
    """Put a rejected item back in the queue."""

    actions: ClassVar[dict[str, str]] = {"POST": "reviews.decide"}

    @extend_schema(operation_id="reviews_reopen", request=ReviewReasonBody, responses=ReviewShape)
    def post(self, request: Request, review_id: str) -> Response:
        """It waits again."""
        item = self.item(review_id)
        services.reopen(self.actor, item=item, **self.given(ReviewReasonBody))
        return self.shown(review_id)
