"""LanguageModel: weights with a name. Evaluation: how it did beside its base model."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.functional import cached_property

from gptstudio.core import storage
from gptstudio.core.ids import PublicIdField
from training_app.models.job import FineTuningJob

WEIGHTS = ".safetensors"


class ModelKind(models.TextChoices):
    """Where the weights came from."""

    BASE = "base", "Base model"
    FINE_TUNE = "fine_tune", "Fine-tune"


class LanguageModel(models.Model):
    """A model folder under STUDIO_HOME/artifacts/<digest>/. A base model without a workspace is everybody's."""

    id = PublicIdField(prefix="model_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, null=True, related_name="models")
    name = models.CharField(max_length=200, help_text="What programs call it: `ft:<base>:<ws>:<suffix>:<id>`.")
    title = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=16, choices=ModelKind)
    base = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="fine_tunes")
    job = models.OneToOneField(FineTuningJob, on_delete=models.PROTECT, null=True, related_name="model")
    is_adapter = models.BooleanField(default=False)
    embeds = models.BooleanField(default=False, help_text="May be asked for vectors of texts (/v1/embeddings).")
    digest = models.CharField(max_length=64)
    parameters = models.BigIntegerField(default=0)
    context_length = models.PositiveIntegerField(default=0)
    licence = models.CharField(max_length=80, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    weights_deleted_at = models.DateTimeField(null=True, blank=True, help_text="When a person put it away.")

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"],
                condition=models.Q(archived_at__isnull=True),
                name="one_live_model_of_a_name_in_a_workspace",
            ),
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(archived_at__isnull=True, workspace__isnull=True),
                name="one_live_model_of_a_name_for_all",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "kind", "-created_at"], name="models_by_workspace"),
            models.Index(fields=["name"], name="models_by_name"),
        ]

    def __str__(self) -> str:
        return self.title or self.name

    @property
    def stored(self) -> str:
        """Its folder's name in the store."""
        return f"artifacts/{self.digest}"

    @property
    def path(self) -> Path:
        """Where its folder lies; fetched where only the bucket has it."""
        return storage.asked_for(self.stored)

    @property
    def root(self) -> LanguageModel:
        """The base model that it descends from, whose tokenizer it has; a base model is its own."""
        model = self
        while model.base is not None:
            model = model.base
        return model

    @property
    def weights(self) -> dict[str, int]:
        """The files that hold them, with their bytes; all else in its folder is small."""
        return {path: size for path, size in storage.sizes(self.stored).items() if path.endswith(WEIGHTS)}

    @property
    def is_kept(self) -> bool:
        """Whether its folder is to be had whole."""
        return self.weights_deleted_at is None and (storage.is_set() or self.path.is_dir())

    @property
    def engine_name(self) -> str:
        """The immutable name under which engines hold it."""
        return f"{self.id}@{self.digest[:8]}"


class Evaluation(models.Model):
    """The test split's verdict, and the safety report that the release gate reads."""

    id = PublicIdField(prefix="eval_")
    model = models.OneToOneField(LanguageModel, on_delete=models.CASCADE, related_name="evaluation")
    version = models.ForeignKey("datasets.DatasetVersion", on_delete=models.PROTECT, related_name="+")
    rows = models.PositiveIntegerField()
    base_scores = models.JSONField(default=dict)
    tuned_scores = models.JSONField(default=dict)
    result = models.JSONField(default=dict, help_text="evaluation.json")
    safety = models.JSONField(default=dict, help_text="safety.json")
    is_safe = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.model} on {self.rows} test rows"

    @cached_property
    def answers(self) -> Path:
        """Test rows with both models' answers and what each brought to the scores, beside evaluation.json."""
        return storage.current(f"runs/{self.model.job_id}") / "evaluate" / "rows.parquet"
