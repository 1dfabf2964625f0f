"""Guardrails: what may be said in a workspace's prompts and answers, and whether it is kept."""

from __future__ import annotations

from django.db import models

REVIEW_DAYS = 90  # of feedback and of what reviewers see, where a workspace sets nothing


class Guardrails(models.Model):
    """One row a workspace. A side holds `personal_data`, `words`, `patterns` and `lexicon`; what is missing is allowed.

    Each change raises the workspace's `rules_epoch`: web processes keep compiled rules for an epoch.
    """

    workspace = models.OneToOneField("accounts.Workspace", on_delete=models.CASCADE, primary_key=True, related_name="+")
    prompts = models.JSONField(default=dict)
    answers = models.JSONField(default=dict)
    keep_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="For how long texts are kept, scrubbed; empty: not at all."
    )
    review_days = models.PositiveSmallIntegerField(
        default=REVIEW_DAYS, help_text="For how long feedback and the places in review items are kept, scrubbed."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "guardrails"

    def __str__(self) -> str:
        return f"Guardrails of {self.workspace_id}"
