"""Study: several fine-tunes of one base model on one version that are looked at together."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from gptstudio.core.ids import PublicIdField


class StudyKind(models.TextChoices):
    """What its runs differ in."""

    SWEEP = "sweep", "Search for settings"
    LEARNING_CURVE = "learning_curve", "Would more data help?"


class StudyState(models.TextChoices):
    """How far it is."""

    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Study(models.Model):
    """Its runs are fine-tunes that hang on it, one after another; each ends once it is trained, and makes no model.

    `requested` and `hyperparameters` are those of the run it begins with, asked for and whole. `space` says by setting what
    a sweep may choose: {low, high, log} or {choices}. `length` is how many runs there shall be.
    """

    id = PublicIdField(prefix="study_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="studies")
    kind = models.CharField(max_length=16, choices=StudyKind)
    name = models.CharField(max_length=120)
    version = models.ForeignKey("datasets.DatasetVersion", on_delete=models.PROTECT, related_name="+")
    base_model = models.ForeignKey("training.LanguageModel", on_delete=models.PROTECT, related_name="+")
    origin = models.ForeignKey(
        "training.FineTuningJob",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="The fine-tune whose settings were taken; of a learning curve the run on all rows, where it can be.",
    )
    preset = models.CharField(max_length=32, blank=True)
    method = models.CharField(max_length=16, default="full")
    requested = models.JSONField(default=dict)
    hyperparameters = models.JSONField(default=dict)
    seed = models.BigIntegerField(default=0)
    space = models.JSONField(default=dict)
    length = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=StudyState, default=StudyState.RUNNING)
    result = models.JSONField(default=dict, help_text="Of a learning curve its losses and what came of more rows.")
    error = models.JSONField(default=dict, help_text="{code, message, fix}")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        verbose_name_plural = "studies"
        indexes = [
            models.Index(fields=["workspace", "-created_at"], name="studies_by_workspace"),
            models.Index(fields=["state"], name="studies_by_state"),
        ]

    def __str__(self) -> str:
        return self.name
