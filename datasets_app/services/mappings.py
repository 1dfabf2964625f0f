"""How a data set's files are read: which column plays which part, and what a person said about one file."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F

from datasets_app.curation.errors import Refusal
from datasets_app.curation.layouts import mapping_from_json
from datasets_app.curation.readers.options import reading_from_json
from datasets_app.models import Dataset, DatasetFile, FileState
from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict, Invalid
from gptstudio.core.queue import enqueue


def checked_mapping(mapping: dict[str, Any]) -> dict[str, Any]:
    """A mapping that curation will take, or Invalid with its sentence."""
    try:
        return mapping_from_json(mapping).as_json()
    except Refusal as refusal:
        raise Invalid(refusal.message, fix=refusal.fix, param="mapping") from refusal


def checked_reading(reading: dict[str, Any]) -> dict[str, Any]:
    """What a person said about one file, as curation writes it, or Invalid with its sentence."""
    try:
        return dict(reading_from_json(reading).as_json())
    except Refusal as refusal:
        raise Invalid(refusal.message, fix=refusal.fix, param="reading") from refusal


def _check_in_use(dataset: Dataset) -> None:
    """Raise Conflict for a data set of which no version will be made: somebody else put it away meanwhile."""
    if dataset.archived_at is not None:
        raise Conflict(f"{dataset.name} was put away.", fix="Upload the file to another data set.")


@transaction.atomic
def set_mapping(actor: Actor, *, dataset: Dataset, mapping: dict[str, Any] | None) -> Dataset:
    """Say which column plays which part in the versions to come; None: let each file's columns be guessed."""
    require(actor, "datasets.edit", workspace_id=dataset.workspace_id)
    _check_in_use(dataset)
    dataset.mapping = checked_mapping(mapping) if mapping is not None else None
    dataset.save(update_fields=["mapping"])
    record(
        actor,
        workspace_id=dataset.workspace_id,
        action="dataset.mapped",
        subject_kind="dataset",
        subject_id=dataset.id,
        subject_label=dataset.name,
        data={"mapping": dataset.mapping},
    )
    return dataset


@transaction.atomic
def reread_file(actor: Actor, *, file: DatasetFile, reading: dict[str, Any]) -> DatasetFile:
    """Have a file read again in another way (`encoding`, `delimiter`, …). The upload itself is not touched.

    `attempt` goes on counting, for it tells a worker that was thought dead apart; `asked_at_attempt` remembers where
    the new tries begin, so that asking often is no reason to give up.
    """
    workspace_id = file.dataset.workspace_id
    require(actor, "datasets.edit", workspace_id=workspace_id)
    _check_in_use(file.dataset)
    reading = checked_reading(reading)
    settled = DatasetFile.objects.filter(id=file.id, archived_at__isnull=True).exclude(state=FileState.UPLOADED)
    if not settled.update(
        state=FileState.UPLOADED, reading=reading, detection={}, error="", asked_at_attempt=F("attempt")
    ):
        raise Conflict("The file is being read at this moment.", fix="Try again when it has been read.")
    record(
        actor,
        workspace_id=workspace_id,
        action="file.reread",
        subject_kind="file",
        subject_id=file.id,
        subject_label=file.name,
        data={"reading": reading},
    )
    enqueue("datasets.detect_file", file.id)
    file.refresh_from_db()
    return file
