"""ReviewItem: something that waits for a person. ReviewDecision: what was decided, by whom, and why."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from gptstudio.core.ids import PublicIdField
from gptstudio.core.states import Transitions


class ReviewState(models.TextChoices):
    """Where an item stands."""

    PENDING = "pending", "Waiting"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"


TRANSITIONS = Transitions(
    {
        ReviewState.PENDING: {ReviewState.APPROVED, ReviewState.REJECTED},
        ReviewState.APPROVED: {ReviewState.REJECTED},
        ReviewState.REJECTED: {ReviewState.PENDING},
    }
)


class ReviewItem(models.Model):
    """One subject waiting for one kind of decision. `makers` made the subject: under two_person they cannot approve."""

    id = PublicIdField(prefix="review_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=48, db_index=True)
    title = models.CharField(max_length=200)
    evidence = models.JSONField(default=dict)
    makers = models.JSONField(default=list)
    state = models.CharField(max_length=16, choices=ReviewState, default=ReviewState.PENDING)
    requested_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = [models.UniqueConstraint(fields=["kind", "subject_id"], name="one_review_a_subject")]
        indexes = [models.Index(fields=["workspace", "state", "-created_at"], name="review_queue")]

    def __str__(self) -> str:
        return self.title


class ReviewDecision(models.Model):
    """Never changed; a later decision stands beside the earlier one."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="decisions")
    verdict = models.CharField(max_length=16, choices=ReviewState)
    reason = models.TextField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_by_label = models.CharField(max_length=200)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.verdict} by {self.decided_by_label}"
