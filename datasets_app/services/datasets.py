"""Data sets: made, put away, brought back. Tokenizers: registered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from datasets_app.contents.refusals import sentences
from datasets_app.curation.browsing import tokenview
from datasets_app.models import Dataset, Tokenizer
from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core.errors import Invalid


@transaction.atomic
def create_dataset(actor: Actor, *, workspace_id: str, name: str, aim: dict[str, Any] | None = None) -> Dataset:
    """An empty data set with a name. `aim`: what it is for, where somebody began with a use case."""
    require(actor, "datasets.edit", workspace_id=workspace_id)
    if not name.strip():
        raise Invalid("The data set has no name.", fix="Name it after what is in it.", param="name")
    dataset = Dataset.objects.create(
        workspace_id=workspace_id, name=name.strip()[:120], aim=aim or {}, created_by_id=actor.user_id
    )
    record(
        actor,
        workspace_id=workspace_id,
        action="dataset.created",
        subject_kind="dataset",
        subject_id=dataset.id,
        subject_label=dataset.name,
    )
    return dataset


@transaction.atomic
def archive_dataset(actor: Actor, *, dataset: Dataset) -> Dataset:
    """Put a data set out of sight. Its versions stay: models descend from them."""
    require(actor, "datasets.edit", workspace_id=dataset.workspace_id)
    if Dataset.objects.filter(id=dataset.id, archived_at__isnull=True).update(archived_at=timezone.now()):
        record(
            actor,
            workspace_id=dataset.workspace_id,
            action="dataset.archived",
            subject_kind="dataset",
            subject_id=dataset.id,
            subject_label=dataset.name,
        )
    dataset.refresh_from_db()
    return dataset


@transaction.atomic
def restore_dataset(actor: Actor, *, dataset: Dataset) -> Dataset:
    """Bring a data set back that was put away, with all that is in it."""
    require(actor, "datasets.edit", workspace_id=dataset.workspace_id)
    if Dataset.objects.filter(id=dataset.id, archived_at__isnull=False).update(archived_at=None):
        record(
            actor,
            workspace_id=dataset.workspace_id,
            action="dataset.restored",
            subject_kind="dataset",
            subject_id=dataset.id,
            subject_label=dataset.name,
        )
    dataset.refresh_from_db()
    return dataset


def check_template(folder: Path) -> None:
    """Raise Invalid where the chat template of a model's folder does not come to an end."""
    with sentences():
        tokenview.check_template(folder)


def register_tokenizer(*, name: str, workspace_id: str | None, digest: str, context_length: int) -> Tokenizer:
    """Let recipes of the workspace (of all, when None) count with a base model's tokenizer. Again: replaces it."""
    tokenizer, _ = Tokenizer.objects.update_or_create(
        key=f"{workspace_id}/{name}" if workspace_id else name,
        defaults={"name": name, "workspace_id": workspace_id, "digest": digest, "context_length": context_length},
    )
    return tokenizer
