"""ModelExport: a model in a form for elsewhere, made by a worker when somebody asks for it."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models

from gptstudio.core import storage
from gptstudio.core.ids import PublicIdField
from gptstudio.core.leases import Leased
from training_app.models.model import LanguageModel


class ExportForm(models.TextChoices):
    """The engine's word for it."""

    MERGED = "merged", "Merged safetensors"
    GGUF_16 = "gguf-f16", "GGUF, 16 bits"
    GGUF_32 = "gguf-f32", "GGUF, 32 bits"


class ExportState(models.TextChoices):
    """How far it is."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Being made"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


class ModelExport(Leased):
    """Once it is ready its files lie in `exports/<digest>/`. They go with the row, and that goes with its model."""

    id = PublicIdField(prefix="exp_")
    model = models.ForeignKey(LanguageModel, on_delete=models.CASCADE, related_name="exports")
    form = models.CharField(max_length=12, choices=ExportForm)
    state = models.CharField(max_length=12, choices=ExportState, default=ExportState.QUEUED)
    digest = models.CharField(max_length=64, blank=True, help_text="Over names and digests of its files.")
    bytes = models.BigIntegerField(default=0)
    error = models.JSONField(default=dict, help_text="{code, message, fix}")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = [models.UniqueConstraint(fields=["model", "form"], name="one_export_a_form")]
        indexes = [models.Index(fields=["state", "lease_until"], name="exports_to_make")]

    def __str__(self) -> str:
        return f"{self.model} as {self.get_form_display()}"

    @property
    def stored(self) -> str:
        """Its folder's name in the store."""
        return f"exports/{self.digest}"

    @property
    def folder(self) -> Path:
        """Where its files lie once it is ready; fetched where only the bucket has them."""
        return storage.asked_for(self.stored)

    @property
    def is_kept(self) -> bool:
        """Whether its files are there to be taken."""
        return self.state == ExportState.READY and (storage.is_set() or self.folder.is_dir())
