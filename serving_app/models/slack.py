"""SlackQuestion: something that was asked in Slack, until it is answered there."""

from __future__ import annotations

from django.db import models

from gptstudio.core.ids import PublicIdField
from gptstudio.core.leases import Leased


class SlackState(models.TextChoices):
    """How a question stands."""

    PENDING = "pending", "To be answered"
    ANSWERED = "answered", "Answered"
    GIVEN_UP = "given_up", "Given up"


class SlackQuestion(Leased):
    """Slack sends an event again when it likes: `event_id` is taken once. The words are kept until they are answered."""

    id = PublicIdField(prefix="slackq_")
    event_id = models.CharField(max_length=80, unique=True)
    channel = models.CharField(max_length=40)
    thread = models.CharField(max_length=40)
    text = models.TextField(blank=True)
    answer = models.TextField(blank=True, help_text="Made, and not yet posted.")
    state = models.CharField(max_length=10, choices=SlackState, default=SlackState.PENDING)
    problem = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = [models.Index(fields=["state", "lease_until"], name="slack_to_answer")]

    def __str__(self) -> str:
        return self.id
