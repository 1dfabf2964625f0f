"""DatasetVersion: splits, report, ledger and recipe under one digest; immutable once ready."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models

from datasets_app.models.dataset import Dataset, DatasetFile
from gptstudio.core import storage
from gptstudio.core.ids import PublicIdField
from gptstudio.core.leases import Leased
from gptstudio.core.states import Transitions


class VersionState(models.TextChoices):
    """Where a version stands."""

    QUEUED = "queued", "Waiting"
    BUILDING = "building", "Being made"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    ERASED = "erased", "Erased"


class VersionOrigin(models.TextChoices):
    """Why a version was asked for."""

    MADE = "made", "Made from files"
    EDITED = "edited", "Edits applied"
    RESTORED = "restored", "An earlier version made again"
    ERASED = "erased", "Somebody's data erased"


TRANSITIONS = Transitions(
    {
        VersionState.QUEUED: {VersionState.BUILDING, VersionState.CANCELLED},
        VersionState.BUILDING: {VersionState.READY, VersionState.FAILED, VersionState.CANCELLED, VersionState.QUEUED},
        VersionState.FAILED: {VersionState.QUEUED},
        VersionState.READY: {VersionState.ERASED},
    }
)


class DatasetVersion(Leased):
    """Made once by curation from files and a recipe. Lies under STUDIO_HOME/versions/<id>/."""

    id = PublicIdField(prefix="dsv_")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children")
    origin = models.CharField(max_length=12, choices=VersionOrigin, default=VersionOrigin.MADE)
    files = models.ManyToManyField(DatasetFile, related_name="versions")
    recipe = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=VersionState, default=VersionState.QUEUED)
    cancel_requested = models.BooleanField(default=False)
    progress = models.JSONField(default=dict, help_text="{step, done, total}")
    report = models.JSONField(default=dict, help_text="curation's report.json")
    digest = models.CharField(max_length=64, blank=True)
    error = models.JSONField(default=dict, help_text="{code, message, fix}")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True, help_text="Rows and texts are gone; the digest stays.")
    erased_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="version_numbers_count_up")]
        indexes = [models.Index(fields=["state", "lease_until"], name="versions_to_build")]

    def __str__(self) -> str:
        return f"{self.dataset.name}, version {self.number}"

    @property
    def stored(self) -> str:
        """Its name in the store."""
        return f"versions/{self.id}"

    @property
    def folder(self) -> Path:
        """Where its files lie; fetched where only the bucket has them."""
        return storage.asked_for(self.stored)

    @property
    def is_made_up(self) -> bool:
        """Whether all its rows are of the studio's own samples as they came, so that nobody's data can be in it."""
        edits = (each for each in self.recipe.get("steps", []) if each.get("kind") == "edits")
        written = (row for each in edits for row in each.get("options", {}).get("rows", []) if "messages" in row)
        return not any(written) and set(self.files.values_list("is_made_up", flat=True)) == {True}

    @property
    def class_weights(self) -> dict[str, float]:
        """How much a training row of each label should count, where the recipe asked for it; else empty."""
        weights: dict[str, float] = self.report.get("balance", {}).get("weights", {})
        return weights

    @property
    def token_limit(self) -> int:
        """The most tokens that a row may have, where its recipe counts them; else 0."""
        return int(self.report.get("tokens", {}).get("limit") or 0)

    def split_path(self, split: str) -> Path:
        return self.folder / f"{split}.parquet"
