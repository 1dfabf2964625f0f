"""/api/v1/reviews: what waits for a decision and what was decided, under the workspace's release policy as everywhere."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from gptstudio.api.base import LIST_PARAMETERS, NativeView, page_of
from gptstudio.api.review_shapes import (
    ReviewClaimBody,
    ReviewDecisionBody,
    ReviewReasonBody,
    ReviewsDecidedShape,
    ReviewsDecisionBody,
    ReviewShape,
    ReviewTimesShape,
)
from gptstudio.core.errors import Invalid
from gptstudio.review import selectors, services
from gptstudio.review.models import ReviewItem, ReviewState


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
            OpenApiParameter(
                "escalated", bool, description="Only those that were, or were not, handed up to the admins."
            ),
            OpenApiParameter("kind", str, description="Only those about this: model, version, guardrail, feedback…"),
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
        escalated = request.query_params.get("escalated")
        if escalated is not None:
            if escalated not in ("true", "false"):
                raise Invalid(f"escalated is {escalated[:40]!r}.", fix="Use true or false.", param="escalated")
            items = items.filter(escalated_at__isnull=escalated == "false")
        if kind := request.query_params.get("kind"):
            if not kind.isprintable():
                raise Invalid(
                    "kind holds signs that no kind has.", fix="Use one as it stands in an item.", param="kind"
                )
            items = items.filter(kind=kind)
        return self.listed(items, lambda item: ReviewShape(item).data)


class ReviewTimes(ReviewViews):
    """How long the queue takes."""

    actions: ClassVar[dict[str, str]] = {"GET": "reviews.view"}

    @extend_schema(operation_id="reviews_times", responses=ReviewTimesShape)
    def get(self, request: Request) -> Response:
        """What waits, since when, and how long decisions took."""
        desk = selectors.Desk("", [self.workspace_id])
        wait, decided = selectors.median_wait(desk.workspaces)
        found = {
            "waiting": selectors.pending_in(self.workspace_id).count(),
            "oldest_waiting_since": selectors.oldest_waiting(desk),
            "decided": decided,
            "median_seconds": round(wait.total_seconds()) if wait is not None else None,
        }
        return Response(ReviewTimesShape(found).data)


class DecideReviews(ReviewViews):
    """Many at once."""

    actions: ClassVar[dict[str, str]] = {"POST": "reviews.decide"}

    @extend_schema(operation_id="reviews_decide_many", request=ReviewsDecisionBody, responses=ReviewsDecidedShape)
    def post(self, request: Request) -> Response:
        """Decide items of one kind, each under the release policy; what is refused keeps none of the others from it.
        Models are decided one by one.
        """
        given = self.given(ReviewsDecisionBody)
        outcomes = services.decide_many(self.actor, workspace_id=self.workspace_id, item_ids=given.pop("ids"), **given)
        refused = [each for each in outcomes if each.refused]
        decided = [each.id for each in outcomes if not each.refused]
        return Response(ReviewsDecidedShape({"decided": decided, "refused": refused}).data)


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


class ClaimReview(ReviewViews):
    """Take an item, so that nobody else looks at it meanwhile."""

    actions: ClassVar[dict[str, str]] = {"POST": "reviews.decide"}

    @extend_schema(operation_id="reviews_claim", request=ReviewClaimBody, responses=ReviewShape)
    def post(self, request: Request, review_id: str) -> Response:
        """For 15 minutes; claimed again, they begin anew. 409 while somebody else holds it."""
        item = self.item(review_id)
        services.claim_item(self.actor, item=item, **self.given(ReviewClaimBody))
        return self.shown(review_id)


class ReleaseReview(ReviewViews):
    """Let go of an item."""

    actions: ClassVar[dict[str, str]] = {"POST": "reviews.decide"}

    @extend_schema(operation_id="reviews_release", request=None, responses=ReviewShape)
    def post(self, request: Request, review_id: str) -> Response:
        """It is free for everybody. An admin can let go of what somebody else holds."""
        services.release_item(self.actor, item=self.item(review_id))
        return self.shown(review_id)


class EscalateReview(ReviewViews):
    """Hand an item up to the admins."""

    actions: ClassVar[dict[str, str]] = {"POST": "reviews.decide"}

    @extend_schema(operation_id="reviews_escalate", request=ReviewReasonBody, responses=ReviewShape)
    def post(self, request: Request, review_id: str) -> Response:
        """It waits on; admins alone decide it, and see it first."""
        item = self.item(review_id)
        services.escalate_item(self.actor, item=item, **self.given(ReviewReasonBody))
        return self.shown(review_id)


class HandBackReview(ReviewViews):
    """Give what was handed up back to the reviewers."""

    actions: ClassVar[dict[str, str]] = {"POST": "reviews.take_over"}

    @extend_schema(operation_id="reviews_hand_back", request=ReviewReasonBody, responses=ReviewShape)
    def post(self, request: Request, review_id: str) -> Response:
        """Every reviewer can decide it again."""
        item = self.item(review_id)
        services.hand_back_item(self.actor, item=item, **self.given(ReviewReasonBody))
        return self.shown(review_id)
