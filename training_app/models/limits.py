"""SafetyLimits: what a workspace's models may measure in the safety report before a person has to decide."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SafetyLimits(models.Model):
    """One row a workspace. `limits` by check; what is missing is as usual. `scorer`: a model of the moderation server."""

    workspace = models.OneToOneField("accounts.Workspace", on_delete=models.CASCADE, primary_key=True, related_name="+")
    limits = models.JSONField(default=dict)
    scorer = models.CharField(max_length=120, blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "safety limits"

    def __str__(self) -> str:
        return f"Safety limits of {self.workspace_id}"
