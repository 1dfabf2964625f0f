"""CurationRecipe: a recipe kept under a name. RecipePreview: what one would do. WordList: a workspace's own words."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from datasets_app.models.dataset import Dataset, DatasetFile
from gptstudio.core.ids import PublicIdField
from gptstudio.core.leases import Leased
from gptstudio.core.states import Transitions


class CurationRecipe(models.Model):
    """Steps and options under a name, for every data set of the workspace. Versions keep a copy, never a reference."""

    id = PublicIdField(prefix="rcp_")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="recipes")
    name = models.CharField(max_length=120)
    body = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name", "id")
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"],
                condition=models.Q(archived_at__isnull=True),
                name="recipe_names_are_unique",
            )
        ]

    def __str__(self) -> str:
        return self.name


class PreviewState(models.TextChoices):
    """Where a preview stands."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Being counted"
    READY = "ready", "Counted"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Stopped"


PREVIEW_TRANSITIONS = Transitions(
    {
        PreviewState.QUEUED: {PreviewState.RUNNING, PreviewState.CANCELLED},
        PreviewState.RUNNING: {
            PreviewState.READY, PreviewState.FAILED, PreviewState.CANCELLED, PreviewState.QUEUED,
        },
    }
)  # fmt: skip


class RecipePreview(Leased):
    """What a recipe would do to a data set, counted by a worker before it is done. Only the newest is kept."""

    id = PublicIdField(prefix="prv_")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="previews")
    files = models.ManyToManyField(DatasetFile, related_name="previews")
    recipe = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=PreviewState, default=PreviewState.QUEUED)
    cancel_requested = models.BooleanField(default=False)
    progress = models.JSONField(default=dict, help_text="{step, done, total}")
    result = models.JSONField(default=dict, help_text="What `curation preview` said.")
    error = models.JSONField(default=dict, help_text="{code, message, fix}")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = [models.Index(fields=["state", "lease_until"], name="previews_to_count")]

    def __str__(self) -> str:
        return f"A preview for {self.dataset}"


class WordKind(models.TextChoices):
    """What a workspace's words are for."""

    DICTIONARY = "dictionary", "Words that are spelled right"
    ALLOW = "allow", "Never personal data"
    DENY = "deny", "Always personal data"


class WordList(models.Model):
    """Words of one workspace: product names that spelling leaves alone, texts that are or are not personal."""

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="word_lists")
    kind = models.CharField(max_length=16, choices=WordKind)
    words = models.JSONField(default=list)

    class Meta:
        ordering = ("kind",)
        constraints = [models.UniqueConstraint(fields=["workspace", "kind"], name="one_word_list_a_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {len(self.words)}"


def written_down(workspace_id: str) -> tuple[models.QuerySet[WordList], models.QuerySet[CurationRecipe]]:
    """What people of a workspace wrote down beside its data: lists of words, and recipes, those put away too."""
    return (
        WordList.objects.filter(workspace_id=workspace_id),
        CurationRecipe.objects.filter(workspace_id=workspace_id),
    )
