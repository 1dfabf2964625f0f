"""Previews: what a recipe would do, asked for and counted before it is done. They hold rows, so only one is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from datasets_app import recipes, selectors
from datasets_app.models import Dataset, DatasetFile, DatasetVersion, PreviewState, RecipePreview
from datasets_app.models.recipe import PREVIEW_TRANSITIONS
from datasets_app.services.recipes import completed
from gptstudio.accounts.policies import Actor, require
from gptstudio.core import leases
from gptstudio.core.errors import Invalid
from gptstudio.core.queue import enqueue

OVER = (PreviewState.READY, PreviewState.FAILED, PreviewState.CANCELLED)


@transaction.atomic
def create_preview(
    actor: Actor,
    *,
    dataset: Dataset,
    recipe: dict[str, Any] | None = None,
    files: Sequence[DatasetFile] | None = None,
    parent: DatasetVersion | None = None,
) -> RecipePreview:
    """Have counted what a version of `files` (all when None) under `recipe` (the default when None) would come to, with
    the edits of `parent`. Replaces the data set's earlier previews."""
    require(actor, "datasets.edit", workspace_id=dataset.workspace_id)
    chosen = list(files) if files is not None else list(selectors.live_files(dataset))
    if not chosen:
        raise Invalid("There is no file to look at.", fix="Choose one, or upload one first.", param="files")
    body = recipes.checked(recipe if recipe is not None else recipes.default_recipe())
    body = completed(dataset, body, chosen, parent=parent)
    earlier = RecipePreview.objects.filter(dataset=dataset)
    earlier.filter(state__in=OVER).delete()
    earlier.filter(state=PreviewState.QUEUED).update(state=PreviewState.CANCELLED)
    earlier.update(cancel_requested=True)
    preview = RecipePreview.objects.create(dataset=dataset, recipe=body, created_by_id=actor.user_id)
    preview.files.set(chosen)
    enqueue("datasets.preview_recipe", preview.id)
    return preview


@transaction.atomic
def cancel_preview(actor: Actor, *, preview: RecipePreview) -> RecipePreview:
    """Stop counting."""
    require(actor, "datasets.edit", workspace_id=preview.dataset.workspace_id)
    preview = RecipePreview.objects.select_for_update().select_related("dataset").get(id=preview.id)
    PREVIEW_TRANSITIONS.check(preview.state, PreviewState.CANCELLED, noun="preview")
    preview.cancel_requested = True
    if preview.state == PreviewState.QUEUED:
        preview.state = PreviewState.CANCELLED
    preview.save(update_fields=["cancel_requested", "state"])
    return preview


def claim_preview(preview_id: str, *, holder: str) -> RecipePreview | None:
    """Take a preview to count it; None when there is nothing to do."""
    waiting = RecipePreview.objects.filter(id=preview_id, state__in=[PreviewState.QUEUED, PreviewState.RUNNING])
    if not leases.claim(waiting, holder=holder, state=PreviewState.RUNNING):
        return None
    return RecipePreview.objects.select_related("dataset").get(id=preview_id)


def note_preview(preview: RecipePreview, *, progress: dict[str, Any]) -> bool:
    """Heartbeat. False when the counting should stop."""
    return leases.note(RecipePreview.objects.filter(id=preview.id), preview, progress=progress)


def finish_preview(preview: RecipePreview, *, result: dict[str, Any]) -> bool:
    """Keep what was counted."""
    mine = RecipePreview.objects.filter(id=preview.id)
    return leases.release(mine, attempt=preview.attempt, state=PreviewState.READY, result=result, progress={})


def fail_preview(preview: RecipePreview, *, code: str, message: str, fix: str = "") -> bool:
    """Keep the sentence why it could not be counted; `code="cancelled"` when a person stopped it."""
    return leases.release(
        RecipePreview.objects.filter(id=preview.id),
        attempt=preview.attempt,
        state=PreviewState.CANCELLED if code == "cancelled" else PreviewState.FAILED,
        error={"code": code, "message": message, "fix": fix},
    )
