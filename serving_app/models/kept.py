"""KeptTexts: what was asked and answered, where a workspace wants it kept. Scrubbed before it is written."""

from __future__ import annotations

from django.db import models


class KeptTexts(models.Model):
    """One request's texts: `question` as the fields of its body, `answers` one a choice."""

    request = models.OneToOneField("serving.Completion", on_delete=models.CASCADE, primary_key=True, related_name="+")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    question = models.JSONField()
    answers = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "kept texts"
        indexes = [models.Index(fields=["workspace", "created_at"], name="kept_by_age")]

    def __str__(self) -> str:
        return f"Texts of {self.request_id}"
