"""Completion: the request log. UsageEvent: the ledger. Balance: what budgets are checked against.

Money is in integer millionths of the currency unit; tokens are the engine's own counts.
"""

from __future__ import annotations

from django.db import models

from gptstudio.core.ids import PublicIdField

ANSWER_IDS = {"chat/completions": "chatcmpl-", "completions": "cmpl-"}  # by endpoint: what stands before a request's id


def request_id_in(name: str) -> str:
    """The request's id in what people call it by: itself, or the id of its answer."""
    return next((name.removeprefix(each) for each in ANSWER_IDS.values() if name.startswith(each)), name)


class CompletionState(models.TextChoices):
    """How a request stands."""

    RUNNING = "running", "Running"
    COMPLETED = "completed", "Answered"
    CANCELLED = "cancelled", "Client went away"
    FAILED = "failed", "Failed"
    REFUSED = "refused", "Refused"  # by the engine, for the caller's own mistake


class Completion(models.Model):
    """One request. No prompt and no answer is kept here."""

    id = PublicIdField(prefix="req_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    api_key = models.ForeignKey("accounts.ApiKey", on_delete=models.PROTECT, null=True, related_name="+")
    user_id = models.CharField(max_length=48, blank=True)
    model = models.ForeignKey("training.LanguageModel", on_delete=models.PROTECT, null=True, related_name="+")
    judge = models.CharField(
        max_length=200,
        blank=True,
        help_text="The moderation server's model, where texts were judged and none was asked.",
    )
    deployment = models.ForeignKey("serving.Deployment", on_delete=models.SET_NULL, null=True, related_name="+")
    replica = models.CharField(max_length=40)
    endpoint = models.CharField(max_length=24)
    streamed = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=CompletionState, default=CompletionState.RUNNING)
    finish_reason = models.CharField(max_length=24, blank=True)
    error_code = models.CharField(max_length=48, blank=True)
    reached_engine = models.BooleanField(default=False, help_text="Seen in the engine's journal while it ran.")
    counted_tokens = models.BigIntegerField(
        default=0, help_text="For limits a minute: the most it can take while it runs, then what it took."
    )
    gateway_us = models.PositiveIntegerField(null=True, help_text="From arrival to the engine being asked.")
    first_token_ms = models.PositiveIntegerField(null=True)
    total_ms = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = [
            models.Index(fields=["workspace", "-created_at"], name="requests_by_workspace"),
            models.Index(fields=["api_key", "-created_at"], name="requests_by_key"),
            models.Index(fields=["workspace", "state", "-created_at"], name="requests_by_state"),
            models.Index(fields=["state", "created_at"], name="requests_open"),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def model_name(self) -> str:
        """What answered, or judged."""
        return self.judge if self.model is None else self.model.name


class UsageKind(models.TextChoices):
    """A reservation is followed by exactly one settle or release; adjust corrects later."""

    RESERVE = "reserve", "Reserved"
    SETTLE = "settle", "Settled"
    RELEASE = "release", "Released"
    ADJUST = "adjust", "Adjusted"


class UsageEvent(models.Model):
    """Append-only. One row per attempt and kind, so a doubled message cannot bill twice."""

    attempt_id = models.CharField(max_length=48)
    kind = models.CharField(max_length=8, choices=UsageKind)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.PROTECT, related_name="+")
    api_key = models.ForeignKey("accounts.ApiKey", on_delete=models.PROTECT, null=True, related_name="+")
    user_id = models.CharField(max_length=48, blank=True)
    model_name = models.CharField(max_length=200)
    prompt_tokens = models.BigIntegerField(default=0)
    cached_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    cost_micro = models.BigIntegerField(default=0)
    price_prompt_micro = models.BigIntegerField(null=True, help_text="For a million tokens, as when it was reserved.")
    price_completion_micro = models.BigIntegerField(null=True)
    month = models.PositiveIntegerField(
        null=True, help_text="As 202611: the month in which the attempt was let in; none before months were kept."
    )
    estimated = models.BooleanField(default=False)
    source = models.CharField(
        max_length=12, default="gateway", help_text="gateway, or reaper (from the engine's journal)"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["attempt_id", "kind"], name="one_event_a_kind"),
            models.UniqueConstraint(
                fields=["attempt_id"], condition=models.Q(kind__in=["settle", "release"]), name="one_end_an_attempt"
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-at"], name="usage_by_workspace"),
            models.Index(fields=["api_key", "-at"], name="usage_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.attempt_id}"


class Balance(models.Model):
    """Spent and reserved so far, for a key, a member or a workspace: a projection of the ledger that can be rebuilt.

    A member's id is `<workspace>/<user>`. The columns of the month tell of the newest month that something was asked in.
    """

    id = models.CharField(max_length=100, primary_key=True)
    spent_micro = models.BigIntegerField(default=0)
    reserved_micro = models.BigIntegerField(default=0)
    alerted_micro = models.BigIntegerField(null=True, help_text="The soft budget that people were told about.")
    month = models.PositiveIntegerField(default=0, help_text="As 202611; 0: nothing was asked yet.")
    month_spent_micro = models.BigIntegerField(default=0)
    month_reserved_micro = models.BigIntegerField(default=0)
    month_alerted_micro = models.BigIntegerField(null=True, help_text="The same for the month's soft budget.")

    def __str__(self) -> str:
        return self.id
