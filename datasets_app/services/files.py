"""Files: streamed into the store, then read once by a worker to see what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from datasets_app.models import Dataset, DatasetFile, FileState
from gptstudio.accounts.policies import Actor, require
from gptstudio.audit.services import record
from gptstudio.core import artifacts, leases, storage
from gptstudio.core.disk import room_for
from gptstudio.core.errors import Conflict, Invalid, TooLarge
from gptstudio.core.queue import enqueue

NAME_BYTES = 200


def plain_name(name: str) -> str:
    """The last part of a path, without what cannot be printed, in at most NAME_BYTES bytes: it becomes a file name."""
    last = PurePath(name.replace("\\", "/")).name
    plain = "".join(character for character in last if character.isprintable()).strip()
    if plain in ("", ".", ".."):
        raise Invalid("The file has no name.", fix="Give it a name with an ending, such as tickets.csv.", param="file")
    return plain.encode()[-NAME_BYTES:].decode(errors="ignore")


def add_file(
    actor: Actor,
    *,
    dataset: Dataset,
    name: str,
    chunks: Iterable[bytes],
    purpose: str = "fine-tune",
    is_made_up: bool = False,
) -> DatasetFile:
    """Keep an upload as it came, and have it read. Nothing is held in memory; an empty file is refused. `is_made_up`: the
    studio's own sample.
    """
    require(actor, "datasets.edit", workspace_id=dataset.workspace_id)
    plain = plain_name(name)
    try:
        with room_for(plain):
            digest, size, _path = artifacts.store_stream(chunks, folder="uploads", limit=settings.UPLOAD_MAX_BYTES)
    except ValueError as error:
        raise TooLarge(
            f"{plain} is larger than {settings.UPLOAD_MAX_BYTES // 1024**2:,} MB.",
            fix="Split it into several files.",
            code="file_too_large",
        ) from error
    if size == 0:
        drop_unnamed(digest)
        raise Invalid(f"{plain} is empty.", fix="Export it again and look into it before uploading.", param="file")
    return record_file(
        actor, dataset=dataset, name=plain, purpose=purpose, digest=digest, size=size, is_made_up=is_made_up
    )


def drop_unnamed(digest: str) -> None:
    """Stored bytes were refused after all: they go, unless some upload has the same."""
    if not DatasetFile.objects.filter(digest=digest, erased_at__isnull=True).exists():
        storage.let_go(f"uploads/{digest}")


@transaction.atomic
def record_file(
    actor: Actor, *, dataset: Dataset, name: str, purpose: str, digest: str, size: int, is_made_up: bool = False
) -> DatasetFile:
    """The row of a file whose bytes are stored, and a worker sent to read it."""
    file = DatasetFile.objects.create(
        dataset=dataset,
        name=name,
        purpose=purpose,
        bytes=size,
        digest=digest,
        uploaded_by_id=actor.user_id,
        is_made_up=is_made_up,
    )
    record(
        actor,
        workspace_id=dataset.workspace_id,
        action="file.uploaded",
        subject_kind="file",
        subject_id=file.id,
        subject_label=name,
        data={"digest": digest, "bytes": size},
    )
    enqueue("datasets.detect_file", file.id)
    return file


@transaction.atomic
def archive_file(actor: Actor, *, file: DatasetFile) -> DatasetFile:
    """Leave a file out of what comes next. Versions made from it stay as they are."""
    workspace_id = file.dataset.workspace_id
    require(actor, "datasets.edit", workspace_id=workspace_id)
    if DatasetFile.objects.filter(id=file.id, archived_at__isnull=True).update(archived_at=timezone.now()):
        record(
            actor,
            workspace_id=workspace_id,
            action="file.archived",
            subject_kind="file",
            subject_id=file.id,
            subject_label=file.name,
        )
    file.refresh_from_db()
    return file


@transaction.atomic
def restore_file(actor: Actor, *, file: DatasetFile) -> DatasetFile:
    """Take a file in again that was left out. Raises Conflict where its bytes are gone."""
    workspace_id = file.dataset.workspace_id
    require(actor, "datasets.edit", workspace_id=workspace_id)
    if file.erased_at is not None:
        raise Conflict(f"What was in {file.name} was deleted.", fix="Upload it again.")
    if DatasetFile.objects.filter(id=file.id, archived_at__isnull=False, erased_at=None).update(archived_at=None):
        record(
            actor,
            workspace_id=workspace_id,
            action="file.restored",
            subject_kind="file",
            subject_id=file.id,
            subject_label=file.name,
        )
    file.refresh_from_db()
    return file


def claim_file(file_id: str, *, holder: str) -> DatasetFile | None:
    """Take a file to read it; None when it was read already or another worker has it."""
    waiting = DatasetFile.objects.filter(id=file_id, state=FileState.UPLOADED)
    if not leases.claim(waiting, holder=holder):
        return None
    return DatasetFile.objects.select_related("dataset").get(id=file_id)


def hold_file(file: DatasetFile) -> bool:
    """Heartbeat of the worker that reads it; False when another has taken over."""
    return leases.renew(DatasetFile.objects.filter(id=file.id), attempt=file.attempt)


def finish_file(file: DatasetFile, *, detection: dict[str, Any]) -> bool:
    """Keep what was seen in the file."""
    mine = DatasetFile.objects.filter(id=file.id)
    return leases.release(mine, attempt=file.attempt, state=FileState.PROCESSED, detection=detection, error="")


def fail_file(file: DatasetFile, *, error: str) -> bool:
    """Keep the sentence why the file cannot be read. The upload itself stays."""
    mine = DatasetFile.objects.filter(id=file.id)
    return leases.release(mine, attempt=file.attempt, state=FileState.ERROR, error=error)
