"""Measurement: a run looked over or tried out by a worker before somebody starts it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from gptstudio.core.ids import PublicIdField
from gptstudio.core.leases import Leased


class MeasurementKind(models.TextChoices):
    """The engine's command."""

    INSPECT = "inspect", "What tokenizer and template make of the rows"
    ESTIMATE = "estimate", "Time and memory, by a few real steps"


class MeasurementState(models.TextChoices):
    """How far it is."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Measuring"
    READY = "ready", "Measured"
    FAILED = "failed", "Failed"


class Measurement(Leased):
    """`key` is a digest of all that the result depends on, so the same question is measured once."""

    id = PublicIdField(prefix="msr_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="measurements")
    kind = models.CharField(max_length=12, choices=MeasurementKind)
    key = models.CharField(max_length=64)
    version = models.ForeignKey("datasets.DatasetVersion", on_delete=models.CASCADE, related_name="+")
    base_model = models.ForeignKey("training.LanguageModel", on_delete=models.CASCADE, related_name="+")
    method = models.CharField(max_length=16)
    hyperparameters = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=MeasurementState, default=MeasurementState.QUEUED)
    result = models.JSONField(default=dict, help_text="inspection.json or estimate.json: counts, no rows.")
    error = models.JSONField(default=dict, help_text="{code, message, fix}")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "kind", "key"], name="a_measurement_a_question"),
        ]
        indexes = [models.Index(fields=["state", "lease_until"], name="measurements_to_take")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.version} on {self.base_model}"
