"""ReviewItem: something that waits for a person. ReviewDecision: what was decided, by whom, and why."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

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


# What nobody holds, and what nobody handed up.
UNHELD: dict[str, Any] = {"claimed_by": "", "claimed_by_label": "", "claimed_until": None}
NOT_HANDED_UP: dict[str, Any] = {
    "escalated_at": None,
    "escalated_by_label": "",
    "escalation_reason": "",
}


class ReviewItem(models.Model):
    """One subject waiting for one kind of decision. `makers` made the subject: under two_person they cannot approve.

    While it waits, one person may hold it (`claimed_by`: a user's id, or that of a key without one) until a time, and
    a reviewer may have handed it up to the admins. When it is decided nobody holds it any more; what was handed up stays so,
    also when it waits again, until an admin decides it or hands it back.
    """

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
    waiting_since = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    claimed_by = models.CharField(max_length=48, blank=True)
    claimed_by_label = models.CharField(max_length=200, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    escalated_by_label = models.CharField(max_length=200, blank=True)
    escalation_reason = models.TextField(blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = [models.UniqueConstraint(fields=["kind", "subject_id"], name="one_review_a_subject")]
        indexes = [
            models.Index(fields=["workspace", "state", "-created_at"], name="review_queue"),
            models.Index(fields=["workspace", "state", "waiting_since"], name="review_waiting"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_claimed(self) -> bool:
        """Whether somebody holds it now: a claim ends by itself."""
        return bool(self.claimed_by) and self.claimed_until is not None and self.claimed_until > timezone.now()

    def is_claimed_by(self, holder: str) -> bool:
        return self.is_claimed and self.claimed_by == holder


class ReviewDecision(models.Model):
    """Never changed; a later decision stands beside the earlier one."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="decisions")
    verdict = models.CharField(max_length=16, choices=ReviewState)
    reason = models.TextField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_by_label = models.CharField(max_length=200)
    at = models.DateTimeField(auto_now_add=True)
    waited_seconds = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="How long the item had waited for it; empty where nobody was waited for."
    )

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["at"], name="review_decided_at")]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.decided_by_label}"
