"""FindingDecision: a person's yes or no to a hit of personal data, or to a value wherever it stands. Holds no text."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from datasets_app.models.dataset import Dataset


class Verdict(models.TextChoices):
    """What a person said of a hit."""

    ACCEPT = "accept", "Personal: hide it"
    REJECT = "reject", "Not personal: keep it"


class FindingDecision(models.Model):
    """`key` is curation's: that of one hit in its place, or `value:` and that of a value. Later versions follow it."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="decisions")
    key = models.CharField(max_length=40)
    verdict = models.CharField(max_length=8, choices=Verdict)
    entity_type = models.CharField(max_length=40)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=["dataset", "key"], name="one_decision_a_finding")]

    def __str__(self) -> str:
        return f"{self.entity_type}: {self.get_verdict_display()}"
