"""BaseModelImport: a base model that a person asked to have fetched from a model hub."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models

from gptstudio.core.ids import PublicIdField
from gptstudio.core.leases import Leased
from training_app.models.model import LanguageModel


class ImportState(models.TextChoices):
    """How far it is."""

    QUEUED = "queued", "Waiting"
    DOWNLOADING = "downloading", "Downloading"
    REGISTERED = "registered", "Registered"
    FAILED = "failed", "Failed"


class BaseModelImport(Leased):
    """`revision` is what was asked for; `commit` is what it stood for when it was fetched."""

    id = PublicIdField(prefix="imp_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="model_imports")
    hub_id = models.CharField(max_length=200)
    revision = models.CharField(max_length=200, default="main")
    commit = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=100)
    licence = models.CharField(max_length=80, blank=True)
    embeds = models.BooleanField(default=False)
    state = models.CharField(max_length=16, choices=ImportState, default=ImportState.QUEUED)
    progress = models.JSONField(default=dict, help_text="{done, total} in bytes")
    error = models.JSONField(default=dict, help_text="{code, message, fix}")
    model = models.ForeignKey(LanguageModel, on_delete=models.SET_NULL, null=True, related_name="imports")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.hub_id} as {self.name}"

    @property
    def folder(self) -> Path:
        """Where it is fetched to, in the workspace's own folder below STUDIO_HOME/import."""
        return Path(settings.STUDIO_HOME) / "import" / self.workspace.slug / self.id
