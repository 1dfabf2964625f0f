"""Feedback: what a person or a program thinks of one answer, and what should have been said."""

from __future__ import annotations

from django.db import models

from gptstudio.core.ids import PublicIdField


class Rating(models.TextChoices):
    """Thumbs."""

    UP = "up", "Good"
    DOWN = "down", "Bad"


class Feedback(models.Model):
    """One a request and actor. Texts are scrubbed before they are written; `question` is there with a correction."""

    id = PublicIdField(prefix="fb_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    request = models.ForeignKey("serving.Completion", on_delete=models.CASCADE, related_name="feedback")
    rating = models.CharField(max_length=4, choices=Rating, blank=True)
    correction = models.TextField(blank=True)
    question = models.JSONField(default=list, help_text="The turns before the answer, as chat messages.")
    given_by_id = models.CharField(max_length=48)
    given_by_label = models.CharField(max_length=200)
    file = models.ForeignKey("datasets.DatasetFile", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    erased_at = models.DateTimeField(null=True, blank=True)
    erased_because = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at", "-id")
        verbose_name_plural = "feedback"
        indexes = [models.Index(fields=["workspace", "-created_at", "-id"], name="feedback_by_workspace")]
        constraints = [models.UniqueConstraint(fields=["request", "given_by_id"], name="one_feedback_each")]

    def __str__(self) -> str:
        return f"{self.get_rating_display() or 'Correction'}: {self.request_id}"
