"""Uploads in parts: announced, sent piece by piece over hours and restarts, then one file like any other."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from datasets_app.models import Dataset, DatasetFile, FileUpload, UploadPart, UploadState
from datasets_app.services.datasets import create_dataset
from datasets_app.services.files import drop_unnamed, plain_name, record_file
from gptstudio.accounts.policies import Actor, require, system
from gptstudio.audit.services import record
from gptstudio.core import artifacts, storage
from gptstudio.core.disk import check_room, room_for
from gptstudio.core.errors import Conflict, Invalid, TooLarge

PART_BYTES = 64 * 1024 * 1024
MOST_PARTS = 10_000
LIFETIME = timedelta(hours=24)
CHUNK = 1 << 20


def start_upload(
    actor: Actor,
    *,
    workspace_id: str,
    name: str,
    size: int,
    purpose: str = "fine-tune",
    dataset: Dataset | None = None,
    dataset_name: str = "",
    fingerprint: str = "",
) -> FileUpload:
    """Announce a file of `size` bytes. It goes to `dataset`, or to one that is made once the file is whole."""
    require(actor, "datasets.edit", workspace_id=workspace_id)
    plain = plain_name(name)
    if size < 1:
        raise Invalid(f"{plain} is empty.", fix="Export it again and look into it before uploading.", param="bytes")
    if size > settings.UPLOAD_MAX_BYTES:
        limit = f"{settings.UPLOAD_MAX_BYTES // 1024**2:,} MB"
        raise TooLarge(
            f"{plain} is larger than {limit}.", fix="Split it into several files.", code="file_too_large", param="bytes"
        )
    check_room(Path(settings.STUDIO_HOME), 2 * size, what=plain)  # the parts, and the file made of them
    with transaction.atomic():
        upload = FileUpload.objects.create(
            workspace_id=workspace_id,
            dataset=dataset,
            dataset_name=(dataset_name or plain)[:120],
            name=plain,
            bytes=size,
            purpose=purpose,
            fingerprint=fingerprint,
            started_by_id=actor.user_id,
            expires_at=timezone.now() + LIFETIME,
        )
        _told(actor, upload, "upload.started", bytes=size)
    return upload


def _told(actor: Actor, upload: FileUpload, action: str, **data: object) -> None:
    record(
        actor,
        workspace_id=upload.workspace_id,
        action=action,
        subject_kind="upload",
        subject_id=upload.id,
        subject_label=upload.name,
        data=data,
    )


def _check_pending(upload: FileUpload) -> None:
    if upload.state != UploadState.PENDING:
        what = upload.get_state_display().lower()
        raise Conflict(f"The upload of {upload.name} is not open any more: {what}.", fix="Start a new upload.")
    if upload.expires_at <= timezone.now():
        raise Conflict(f"The upload of {upload.name} has expired.", fix="Start a new upload.")


def add_part(actor: Actor, *, upload: FileUpload, chunks: Iterable[bytes], offset: int | None = None) -> UploadPart:
    """Keep some bytes on disk and put the end of the upload off. A part that is there already is not kept twice."""
    require(actor, "datasets.edit", workspace_id=upload.workspace_id)
    _check_pending(upload)
    sent = sum(upload.parts.values_list("bytes", flat=True))
    if offset is not None and (there := upload.parts.filter(offset=offset).first()) is not None:
        return there
    if offset is not None and offset != sent:
        raise Conflict(
            f"The next part of {upload.name} begins at byte {sent:,}, not at {offset:,}.", fix="Go on from there."
        )
    if upload.parts.count() >= MOST_PARTS:
        raise Invalid(f"{upload.name} has {MOST_PARTS:,} parts already.", fix="Send larger parts.", param="data")
    left = upload.bytes - sent if offset is not None else 2 * upload.bytes - sent  # a part may have been sent twice
    if left < 1:
        raise Invalid(f"More parts came than {upload.name} has bytes.", fix="Start a new upload.", param="data")
    part = UploadPart(upload=upload, offset=offset)
    with room_for(upload.name):
        part.bytes = _keep(part, chunks, most=min(PART_BYTES, left))
    try:
        with transaction.atomic():
            open_still = FileUpload.objects.filter(id=upload.id, state=UploadState.PENDING)
            if not open_still.update(expires_at=timezone.now() + LIFETIME):
                raise Conflict(f"The upload of {upload.name} was given up meanwhile.", fix="Start a new upload.")
            part.save(force_insert=True)
    except IntegrityError:
        storage.let_go(part.stored)
        return UploadPart.objects.get(upload=upload, offset=offset)
    except Conflict:
        storage.let_go(part.stored)
        raise
    return part


def _keep(part: UploadPart, chunks: Iterable[bytes], *, most: int) -> int:
    """Write a part to its place, and to the bucket where there is one, whole or not at all. Returns its size."""
    path = storage.place(part.stored)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".incoming-", dir=path.parent)
    size = 0
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > most:
                    raise TooLarge(f"The part is larger than {most:,} bytes.", fix="Send smaller parts.", param="data")
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if not size:
            raise Invalid("The part is empty.", fix="Send at least one byte.", param="data")
        storage.keep(part.stored, Path(name))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return size


def complete_upload(actor: Actor, *, upload: FileUpload, part_ids: Sequence[str], md5: str = "") -> FileUpload:
    """Make one file of the parts in this order. Called again once it is complete, it gives the same file."""
    require(actor, "datasets.edit", workspace_id=upload.workspace_id)
    if upload.state == UploadState.COMPLETED:
        return upload
    _check_pending(upload)
    parts = _in_order(upload, part_ids)
    sum_of_bytes = hashlib.md5(usedforsecurity=False)
    with room_for(upload.name):
        try:
            digest, size, _path = artifacts.store_stream(
                _bytes_of(parts, sum_of_bytes), folder="uploads", limit=upload.bytes
            )
        except FileNotFoundError as error:
            raise Conflict(f"Parts of {upload.name} are gone.", fix="Start a new upload.") from error
    if md5 and sum_of_bytes.hexdigest() != md5.strip().lower():
        drop_unnamed(digest)
        raise Invalid(
            f"{upload.name} did not arrive as it was sent: its MD5 is {sum_of_bytes.hexdigest()}.",
            fix="Send the parts again.",
            code="checksum_mismatch",
            param="md5",
        )
    _finish(actor, upload, digest=digest, size=size)
    storage.let_go(upload.stored)
    upload.refresh_from_db()
    return upload


def _in_order(upload: FileUpload, part_ids: Sequence[str]) -> list[UploadPart]:
    known = {part.id: part for part in upload.parts.all()}
    strange = [part_id for part_id in part_ids if part_id not in known]
    if strange or len(set(part_ids)) < len(part_ids):
        what = f"has no part {strange[0][:60]!r}" if strange else "was given a part twice"
        raise Invalid(f"The upload {upload.id} {what}.", fix="List each of its parts once, in order.", param="part_ids")
    size = sum(known[part_id].bytes for part_id in part_ids)
    if size != upload.bytes:
        raise Invalid(
            f"The parts of {upload.name} have {size:,} bytes; {upload.bytes:,} were announced.",
            fix="Send what is missing, or start a new upload with the right size.",
            param="part_ids",
        )
    return [known[part_id] for part_id in part_ids]


def _bytes_of(parts: Iterable[UploadPart], sum_of_bytes: hashlib._Hash) -> Iterator[bytes]:
    for part in parts:
        with part.path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                sum_of_bytes.update(chunk)
                yield chunk


@transaction.atomic
def _finish(actor: Actor, upload: FileUpload, *, digest: str, size: int) -> DatasetFile | None:
    """The file, once; whoever comes second finds it there."""
    if not FileUpload.objects.filter(id=upload.id, state=UploadState.PENDING).update(state=UploadState.COMPLETED):
        return None
    dataset = upload.dataset
    if dataset is None or dataset.archived_at is not None:
        dataset = create_dataset(actor, workspace_id=upload.workspace_id, name=upload.dataset_name)
    file = record_file(actor, dataset=dataset, name=upload.name, purpose=upload.purpose, digest=digest, size=size)
    FileUpload.objects.filter(id=upload.id).update(file=file, dataset=dataset)
    return file


def cancel_upload(actor: Actor, *, upload: FileUpload) -> FileUpload:
    """Give an upload up; its parts are removed."""
    require(actor, "datasets.edit", workspace_id=upload.workspace_id)
    with transaction.atomic():
        if FileUpload.objects.filter(id=upload.id, state=UploadState.PENDING).update(state=UploadState.CANCELLED):
            _told(actor, upload, "upload.cancelled")
    upload.refresh_from_db()
    if upload.state != UploadState.CANCELLED:
        raise Conflict(f"The upload of {upload.name} is {upload.state}.", fix="There is nothing to cancel.")
    storage.let_go(upload.stored)
    return upload


def ended_uploads(ids: Collection[str]) -> set[str]:
    """Those of them that take no part any more."""
    return set(FileUpload.objects.filter(id__in=ids).exclude(state=UploadState.PENDING).values_list("id", flat=True))


def expire_uploads() -> int:
    """Close uploads to which nothing was added for a day, and remove parts that nobody waits for. Returns how many."""
    old = FileUpload.objects.filter(state=UploadState.PENDING, expires_at__lte=timezone.now())
    closed = 0
    for upload in old[:100]:
        with transaction.atomic():
            if not old.filter(id=upload.id).update(state=UploadState.EXPIRED):
                continue
            _told(system(upload.workspace_id), upload, "upload.expired")
        storage.let_go(upload.stored)
        closed += 1
    return closed
