"""AlertRule: when people are to be told, and whether that is so now."""

from __future__ import annotations

from django.db import models

from gptstudio.core.ids import PublicIdField


class AlertKind(models.TextChoices):
    """What a rule looks at. Budgets need no rule: they have an amount to tell at."""

    LATENCY = "latency", "Answers are slow"
    ERRORS = "errors", "Requests fail"
    ENGINE_DOWN = "engine_down", "An engine is away"


class AlertRule(models.Model):
    """`threshold` is passed, over the last `minutes`: it fires, once, until it holds no more."""

    id = PublicIdField(prefix="rule_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=AlertKind)
    threshold = models.FloatField(default=0)
    minutes = models.PositiveIntegerField(default=5)
    firing_since = models.DateTimeField(null=True, blank=True)
    detail = models.CharField(max_length=200, blank=True, help_text="What was seen when it last fired.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        if self.kind == AlertKind.LATENCY:
            return f"95 % of answers take longer than {self.threshold:g} ms over {self.minutes} minutes"
        if self.kind == AlertKind.ERRORS:
            return f"More than {self.threshold:g} % of requests fail over {self.minutes} minutes"
        return f"An engine does not answer for {self.minutes} minutes"
