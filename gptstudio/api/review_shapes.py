"""What /api/v1/reviews takes and gives."""

from __future__ import annotations

from datetime import datetime

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gptstudio.review import services
from gptstudio.review.models import ReviewDecision, ReviewItem, ReviewState

LONGEST_REASON = 2_000


class ReviewDecisionShape(serializers.ModelSerializer):
    """One decision. `pending` is the decision to put a rejected item back."""

    decided_by = serializers.CharField(source="decided_by_label")

    class Meta:
        model = ReviewDecision
        fields = ("verdict", "reason", "decided_by", "at")


class ReviewShape(serializers.ModelSerializer):
    """Something that waits, or waited, for a person; the last decision first.

    While somebody holds it, `claimed_by` and `claimed_until` say who and until when; nobody else can decide it then.
    """

    kind = serializers.CharField(help_text="What it is about: model, version, prompt, answer, feedback…")
    evidence = serializers.JSONField(help_text="What a reviewer sees of it.")
    decisions = ReviewDecisionShape(many=True)
    claimed_by = serializers.SerializerMethodField(help_text="Who holds it now; null: nobody.")
    claimed_until = serializers.SerializerMethodField(help_text="When it comes free by itself.")
    escalated_by = serializers.SerializerMethodField(
        help_text="Who handed it up to the admins, who alone decide it then; null: nobody."
    )

    class Meta:
        model = ReviewItem
        fields = (
            "id", "kind", "subject_id", "title", "state", "requested_by", "evidence", "decisions", "created_at",
            "waiting_since", "decided_at", "claimed_by", "claimed_until", "escalated_by", "escalated_at", "escalation_reason",
        )  # fmt: skip

    def get_claimed_by(self, item: ReviewItem) -> str | None:
        return item.claimed_by_label if item.is_claimed else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_claimed_until(self, item: ReviewItem) -> datetime | None:
        return item.claimed_until if item.is_claimed else None

    def get_escalated_by(self, item: ReviewItem) -> str | None:
        return item.escalated_by_label or None


class ReviewReasonBody(serializers.Serializer):
    """Why, for the audit log."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class ReviewDecisionBody(serializers.Serializer):
    """A decision."""

    verdict = serializers.ChoiceField([ReviewState.APPROVED.value, ReviewState.REJECTED.value])
    reason = serializers.CharField(
        max_length=LONGEST_REASON,
        required=False,
        allow_blank=True,
        default="",
        help_text="Why, for the audit log. Approving feedback or what a guardrail stopped needs none.",
    )


class ReviewsDecisionBody(ReviewDecisionBody):
    """One decision about many items of one kind."""

    ids = serializers.ListField(
        child=serializers.CharField(max_length=48), min_length=1, max_length=services.MOST_AT_ONCE
    )


class ReviewRefusalShape(serializers.Serializer):
    """An item that was not decided, and why."""

    id = serializers.CharField()
    refused = serializers.CharField()


class ReviewsDecidedShape(serializers.Serializer):
    """What became of each."""

    decided = serializers.ListField(child=serializers.CharField(), help_text="Ids of the items that were.")
    refused = ReviewRefusalShape(many=True)


class ReviewClaimBody(serializers.Serializer):
    """Whether to take it from whoever holds it, as admins may."""

    take_over = serializers.BooleanField(default=False)


class ReviewTimesShape(serializers.Serializer):
    """How long the queue takes."""

    waiting = serializers.IntegerField(help_text="Items that wait.")
    oldest_waiting_since = serializers.DateTimeField(allow_null=True)
    decided = serializers.IntegerField(help_text="Decisions of people in the last 30 days.")
    median_seconds = serializers.IntegerField(
        allow_null=True, help_text="Half of those items had waited for no longer than this."
    )
