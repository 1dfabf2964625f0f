"""Data sets and uploads: streamed, named plainly, refused when empty or too large, told to the audit log."""

from __future__ import annotations

import hashlib

import pytest

from datasets_app import selectors, services
from datasets_app.models import Dataset, DatasetFile
from datasets_app.services.files import TooLarge
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Invalid, NotAllowed, NotFound


def told(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action))


def test_a_data_set_has_a_maker_and_a_line_in_the_log(dataset, bob) -> None:
    assert (dataset.name, dataset.created_by_id) == ("Tickets", bob.id)
    (line,) = told("dataset.created")
    assert (line.subject_id, line.actor_label) == (dataset.id, "bob@care.example")


def test_a_data_set_without_a_name_is_refused(as_bob, workspace) -> None:
    with pytest.raises(Invalid, match="has no name"):
        services.create_dataset(as_bob, workspace_id=workspace.id, name="  ")


def test_an_upload_is_kept_as_it_came(upload, studio_home) -> None:
    content = bytes(range(256)) * 20
    file = upload(content, name="odd.bin")
    assert file.digest == hashlib.sha256(content).hexdigest()
    assert (file.bytes, file.state, file.path.read_bytes()) == (5120, "uploaded", content)
    assert told("file.uploaded")[0].data == {"digest": file.digest, "bytes": 5120}


def test_an_upload_is_never_held_whole(as_bob, dataset, settings) -> None:
    """Of 64 pieces of a megabyte no more than a few are alive at any time."""
    alive = 0
    most = 0

    class Piece(bytes):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def pieces():
        nonlocal alive, most
        for _ in range(64):
            alive += 1
            most = max(most, alive)
            yield Piece(1 << 20)

    file = services.add_file(as_bob, dataset=dataset, name="big.csv", chunks=pieces())
    assert file.bytes == 64 << 20
    assert most <= 3


def test_an_empty_file_is_refused_and_leaves_nothing(upload, studio_home) -> None:
    with pytest.raises(Invalid, match="tickets.csv is empty"):
        upload("")
    assert list((studio_home / "uploads").iterdir()) == []
    assert not DatasetFile.objects.exists()


def test_a_file_over_the_limit_is_413_and_leaves_nothing(upload, studio_home, settings) -> None:
    settings.UPLOAD_MAX_BYTES = 1024**2
    with pytest.raises(TooLarge, match="tickets.csv is larger than 1 MB") as refused:
        upload("x" * (1024**2 + 1))
    assert refused.value.status == 413
    assert list((studio_home / "uploads").iterdir()) == []
    assert not told("file.uploaded")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\tickets.csv", "tickets.csv"),
        ("tick\x00ets\n.csv", "tickets.csv"),
        (" Anfragen März 😀.xlsx ", "Anfragen März 😀.xlsx"),
        ("-rf.csv", "-rf.csv"),
    ],
)
def test_an_odd_name_becomes_a_plain_one(upload, given, kept) -> None:
    assert upload("a,b\n1,2\n", name=given).name == kept


@pytest.mark.parametrize("letter", ["x", "ü", "😀"])
def test_a_long_name_keeps_its_ending_and_fits_a_file_system(upload, letter) -> None:
    name = upload("a,b\n1,2\n", name=letter * 300 + ".csv").name
    assert name.endswith(f"{letter}.csv") and 190 < len(name.encode()) <= 200


@pytest.mark.parametrize("name", ["", "..", "/", "\x00"])
def test_a_file_without_a_name_is_refused(upload, name) -> None:
    with pytest.raises(Invalid, match="has no name"):
        upload("a\n", name=name)


def test_the_same_content_twice_is_two_files_over_one_blob(upload, studio_home) -> None:
    first, second = upload("a,b\n1,2\n"), upload("a,b\n1,2\n", name="again.csv")
    assert first.id != second.id and first.path == second.path
    assert len(list((studio_home / "uploads").iterdir())) == 1


def test_an_archived_file_stays_on_disk_but_is_left_out(upload, as_bob, dataset, workspace) -> None:
    file = upload("a,b\n1,2\n")
    for _ in range(2):
        services.archive_file(as_bob, file=file)
    assert len(told("file.archived")) == 1
    assert file.path.exists()
    assert not selectors.live_files(dataset).exists()
    with pytest.raises(NotFound):
        selectors.file_of(workspace.id, file.id)


def test_an_archived_data_set_is_out_of_sight(as_bob, dataset, workspace) -> None:
    services.archive_dataset(as_bob, dataset=dataset)
    assert not selectors.datasets_of(workspace.id).exists()
    with pytest.raises(NotFound):
        selectors.dataset_of(workspace.id, dataset.id)
    assert Dataset.objects.filter(id=dataset.id).exists()


def test_a_stranger_finds_nothing_and_changes_nothing(upload, as_charlie, dataset) -> None:
    file = upload("a,b\n1,2\n")
    theirs = as_charlie.workspace_id
    for look in (
        lambda: selectors.dataset_of(theirs, dataset.id),
        lambda: selectors.file_of(theirs, file.id),
        lambda: selectors.version_of(theirs, "dsv_1"),
    ):
        with pytest.raises(NotFound):
            look()
    for act in (
        lambda: services.create_dataset(as_charlie, workspace_id=dataset.workspace_id, name="Mine"),
        lambda: services.add_file(as_charlie, dataset=dataset, name="a.csv", chunks=[b"a"]),
        lambda: services.archive_file(as_charlie, file=file),
        lambda: services.archive_dataset(as_charlie, dataset=dataset),
        lambda: services.create_version(as_charlie, dataset=dataset),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert not selectors.files_of(theirs).exists()


def test_a_refused_upload_is_not_even_read(as_charlie, dataset) -> None:
    def chunks():
        raise AssertionError("was read")
        yield b""

    with pytest.raises(NotAllowed):
        services.add_file(as_charlie, dataset=dataset, name="a.csv", chunks=chunks())
