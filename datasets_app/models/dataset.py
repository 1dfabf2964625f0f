"""Dataset: a name over files. DatasetFile: one upload, kept as it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from django.conf import settings
from django.db import models

from gptstudio.core import storage
from gptstudio.core.ids import PublicIdField
from gptstudio.core.leases import Leased


class Dataset(models.Model):
    """What a person uploads to; its versions are what models are trained on."""

    id = PublicIdField(prefix="ds_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="datasets")
    name = models.CharField(max_length=120)
    mapping = models.JSONField(null=True, blank=True, help_text="Which column plays which part; null: guessed a file.")
    aim = models.JSONField(
        default=dict,
        blank=True,
        help_text="{use_case, title, recipe, preset, questions} where somebody began with a use case.",
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = [models.Index(fields=["workspace", "-created_at"], name="datasets_by_workspace")]

    def __str__(self) -> str:
        return self.name


class FileState(models.TextChoices):
    """OpenAI's words for a file's status."""

    UPLOADED = "uploaded", "Being read"
    PROCESSED = "processed", "Read"
    ERROR = "error", "Could not be read"


class DatasetFile(Leased):
    """One uploaded file. The bytes lie under STUDIO_HOME/uploads/<digest> and are never changed."""

    id = PublicIdField(prefix="file-")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=255)
    purpose = models.CharField(max_length=32, default="fine-tune")
    bytes = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=FileState, default=FileState.UPLOADED)
    reading = models.JSONField(default=dict, blank=True, help_text="What a person said about how to read it.")
    asked_at_attempt = models.PositiveIntegerField(default=0, help_text="`attempt` when a person last had it read.")
    detection = models.JSONField(default=dict, help_text="What `curation detect` said.")
    error = models.TextField(blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    is_made_up = models.BooleanField(default=False, help_text="The studio's own sample: nobody's data.")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True, help_text="The bytes are gone; the digest stays.")
    erased_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("created_at", "id")
        indexes = [models.Index(fields=["state", "lease_until"], name="files_to_read")]

    def __str__(self) -> str:
        return self.name

    @property
    def stored(self) -> str:
        """Its name in the store."""
        return f"uploads/{self.digest}"

    @property
    def path(self) -> Path:
        """Where the bytes lie; fetched where only the bucket has them."""
        return storage.asked_for(self.stored)


def run_names(files: Sequence[DatasetFile]) -> list[str]:
    """What each file is called in a run and in the rows that came from it: `tickets.csv`, and of two `tickets-2.csv`."""
    taken: dict[str, None] = {}
    for file in files:
        name, number = file.name, 1
        while name in taken:
            number += 1
            name = f"{Path(file.name).stem}-{number}{Path(file.name).suffix}"
        taken[name] = None
    return list(taken)


def file_behind(names: Mapping[str, DatasetFile], shown: str) -> tuple[DatasetFile, str] | None:
    """The file that a row came from, and which part of it: `tickets.zip/may.csv` is `/may.csv` of `tickets.zip`.

    `names` are a run's names (`run_names`), `shown` is what the row carries. None where the file is not among them.
    """
    for name in (shown, f"{shown}.gz"):  # a packed file is shown by the name it has unpacked
        if name in names:
            return names[name], ""
    head, _, rest = shown.partition("/")
    return (names[head], f"/{rest}") if rest and head in names else None
