"""Guardrails: what may be said in a workspace's prompts and answers."""

from __future__ import annotations

from django.db import models


class Guardrails(models.Model):
    """One row a workspace. A side holds `personal_data`, `words`, `patterns` and `lexicon`; what is missing is allowed.

    Each change raises the workspace's `rules_epoch`: web processes keep compiled rules for an epoch.
    """

    workspace = models.OneToOneField("accounts.Workspace", on_delete=models.CASCADE, primary_key=True, related_name="+")
    prompts = models.JSONField(default=dict)
    answers = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "guardrails"

    def __str__(self) -> str:
        return f"Guardrails of {self.workspace_id}"
