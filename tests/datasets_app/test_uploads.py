"""Uploads in parts."""

from __future__ import annotations

import errno
import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets_app import selectors, services
from datasets_app.models import Dataset, DatasetFile, FileUpload, UploadState
from gptstudio.audit.models import AuditEvent
from gptstudio.core import storage
from gptstudio.core.disk import DiskFull
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound, TooLarge

CONTENT = b"question,answer\nWhere is it?,On its way.\n"


@pytest.fixture(autouse=True)
def home(studio_home):
    return studio_home


@pytest.fixture
def start(as_bob, workspace):
    def begin(size: int = len(CONTENT), **options) -> FileUpload:
        return services.start_upload(as_bob, workspace_id=workspace.id, name="tickets.csv", size=size, **options)

    return begin


def send(actor, upload, *pieces, offset=None):
    parts = []
    for piece in pieces:
        parts.append(services.add_part(actor, upload=upload, chunks=[piece], offset=offset))
        offset = offset + len(piece) if offset is not None else None
    return parts


def test_parts_become_one_file_in_the_order_that_is_asked_for(as_bob, start):
    upload = start()
    second, first = send(as_bob, upload, CONTENT[20:], CONTENT[:20])
    done = services.complete_upload(
        as_bob, upload=upload, part_ids=[first.id, second.id], md5=hashlib.md5(CONTENT).hexdigest()
    )
    assert done.state == UploadState.COMPLETED
    assert done.file.path.read_bytes() == CONTENT
    assert done.file.dataset.name == "tickets.csv"
    assert not storage.place(done.stored).exists()
    assert [event.action for event in AuditEvent.objects.filter(action__startswith="file.")] == ["file.uploaded"]


def test_no_data_set_is_there_before_the_file_is_whole(as_bob, start):
    upload = start(dataset_name="Tickets")
    send(as_bob, upload, CONTENT)
    assert not Dataset.objects.exists()
    services.complete_upload(as_bob, upload=upload, part_ids=[part.id for part in upload.parts.all()])
    assert Dataset.objects.get().name == "Tickets"


def test_completing_twice_gives_the_same_file(as_bob, start):
    upload = start()
    (part,) = send(as_bob, upload, CONTENT)
    one = services.complete_upload(as_bob, upload=upload, part_ids=[part.id])
    stale = FileUpload.objects.get(id=upload.id)
    assert services.complete_upload(as_bob, upload=stale, part_ids=[part.id]).file == one.file
    assert DatasetFile.objects.count() == 1


def test_a_part_that_comes_again_is_kept_once_and_one_out_of_turn_is_refused(as_bob, start):
    upload = start()
    (part,) = send(as_bob, upload, CONTENT[:20], offset=0)
    assert send(as_bob, upload, CONTENT[:20], offset=0) == [part]
    with pytest.raises(Conflict, match="begins at byte 20, not at 30"):
        send(as_bob, upload, CONTENT[30:], offset=30)
    assert selectors.open_uploads(upload.workspace_id, user_id=as_bob.user_id).get().received == 20


@pytest.mark.parametrize(("size", "error"), [(0, Invalid), (10**15, TooLarge)], ids=["nothing", "more than is taken"])
def test_sizes_that_cannot_be_are_refused_when_announced(start, size, error):
    with pytest.raises(error, match="tickets.csv"):
        start(size=size)


def test_more_than_the_disk_holds_is_refused_when_announced(start, settings):
    settings.UPLOAD_MAX_BYTES = 10**16
    with pytest.raises(DiskFull):
        start(size=10**15)


def test_what_is_missing_strange_or_doubled_is_refused(as_bob, start):
    upload = start()
    (part,) = send(as_bob, upload, CONTENT[:20])
    for part_ids, words in (([part.id], "have 20 bytes"), (["part_x"], "no part"), ([part.id] * 2, "twice")):
        with pytest.raises(Invalid, match=words):
            services.complete_upload(as_bob, upload=upload, part_ids=part_ids)
    assert not DatasetFile.objects.exists()


def test_a_wrong_checksum_is_refused_and_the_upload_stays_open(as_bob, start):
    upload = start()
    (part,) = send(as_bob, upload, CONTENT)
    with pytest.raises(Invalid, match="MD5"):
        services.complete_upload(as_bob, upload=upload, part_ids=[part.id], md5="0" * 32)
    assert services.complete_upload(as_bob, upload=upload, part_ids=[part.id]).file.bytes == len(CONTENT)


def test_empty_and_overlong_parts_leave_nothing_behind(as_bob, start):
    upload = start(size=10)
    with pytest.raises(Invalid, match="empty"):
        send(as_bob, upload, b"")
    with pytest.raises(TooLarge):
        send(as_bob, upload, b"x" * 11, offset=0)
    assert list(storage.place(upload.stored).iterdir()) == []
    send(as_bob, upload, b"x" * 10)
    send(as_bob, upload, b"x" * 10)
    with pytest.raises(Invalid, match="More parts"):
        send(as_bob, upload, b"x")


def test_a_cancelled_upload_takes_no_part_and_leaves_no_bytes(as_bob, start):
    upload = start()
    send(as_bob, upload, CONTENT)
    assert services.cancel_upload(as_bob, upload=upload).state == UploadState.CANCELLED
    assert not storage.place(upload.stored).exists()
    with pytest.raises(Conflict):
        send(as_bob, upload, CONTENT)
    with pytest.raises(Conflict):
        services.complete_upload(as_bob, upload=upload, part_ids=[])


def test_an_upload_that_nobody_goes_on_with_expires_after_a_day(as_bob, start):
    upload, fresh = start(), start()
    send(as_bob, upload, CONTENT)
    FileUpload.objects.filter(id=upload.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert services.expire_uploads() == 1
    upload.refresh_from_db()
    fresh.refresh_from_db()
    assert (upload.state, fresh.state) == (UploadState.EXPIRED, UploadState.PENDING)
    assert not storage.place(upload.stored).exists()
    with pytest.raises(Conflict):
        send(as_bob, upload, CONTENT)


def test_each_part_puts_the_end_off(as_bob, start):
    upload = start()
    soon = timezone.now() + timedelta(minutes=1)
    FileUpload.objects.filter(id=upload.id).update(expires_at=soon)
    upload.refresh_from_db()
    send(as_bob, upload, CONTENT)
    upload.refresh_from_db()
    assert upload.expires_at > soon + timedelta(hours=20)


def test_a_disk_that_fills_up_is_said_and_leaves_nothing(as_bob, start):
    def chunks():
        yield CONTENT[:10]
        raise OSError(errno.ENOSPC, "No space left on device")

    upload = start()
    with pytest.raises(DiskFull, match="no room"):
        services.add_part(as_bob, upload=upload, chunks=chunks())
    assert list(storage.place(upload.stored).iterdir()) == []
    dataset = services.create_dataset(as_bob, workspace_id=upload.workspace_id, name="Care")
    with pytest.raises(DiskFull):
        services.add_file(as_bob, dataset=dataset, name="a.csv", chunks=chunks())
    assert not DatasetFile.objects.exists()


def test_a_stranger_may_not(start, as_charlie):
    upload = start()
    for act in (
        lambda: services.add_part(as_charlie, upload=upload, chunks=[CONTENT]),
        lambda: services.complete_upload(as_charlie, upload=upload, part_ids=[]),
        lambda: services.cancel_upload(as_charlie, upload=upload),
    ):
        with pytest.raises(NotAllowed):
            act()
    with pytest.raises(NotFound):
        selectors.upload_of(as_charlie.workspace_id, upload.id)
