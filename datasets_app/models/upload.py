"""FileUpload: a file that comes in parts, over hours if need be. UploadPart: one of them, on disk."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models

from datasets_app.models.dataset import Dataset, DatasetFile
from gptstudio.core import storage
from gptstudio.core.ids import PublicIdField


class UploadState(models.TextChoices):
    """OpenAI's words for an upload's status."""

    PENDING = "pending", "Under way"
    COMPLETED = "completed", "Complete"
    CANCELLED = "cancelled", "Given up"
    EXPIRED = "expired", "Expired"


class FileUpload(models.Model):
    """What was announced and how it ended. Parts lie under STUDIO_HOME/parts/<id>/ until then."""

    id = PublicIdField(prefix="upload_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="uploads")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, null=True, blank=True, related_name="uploads")
    dataset_name = models.CharField(max_length=120, blank=True, help_text="The data set to make where there is none.")
    name = models.CharField(max_length=255)
    bytes = models.BigIntegerField()
    purpose = models.CharField(max_length=32, default="fine-tune")
    fingerprint = models.CharField(max_length=64, blank=True, help_text="Tells a file apart when it is chosen again.")
    state = models.CharField(max_length=16, choices=UploadState, default=UploadState.PENDING)
    file = models.ForeignKey(DatasetFile, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = [
            models.Index(fields=["state", "expires_at"], name="uploads_to_expire"),
            models.Index(fields=["workspace", "state"], name="uploads_by_workspace"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def stored(self) -> str:
        """The name of its parts' folder in the store."""
        return f"parts/{self.id}"


class UploadPart(models.Model):
    """Some bytes of an upload. `offset`: where they begin in the file, where the sender says so."""

    id = PublicIdField(prefix="part_")
    upload = models.ForeignKey(FileUpload, on_delete=models.CASCADE, related_name="parts")
    offset = models.BigIntegerField(null=True, blank=True)
    bytes = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("created_at", "id")
        constraints = [models.UniqueConstraint(fields=["upload", "offset"], name="parts_of_an_upload_do_not_overlap")]

    @property
    def stored(self) -> str:
        """Its name in the store."""
        return f"parts/{self.upload_id}/{self.id}"

    @property
    def path(self) -> Path:
        """Where its bytes lie; fetched where another machine took them."""
        return storage.fetched(self.stored)
