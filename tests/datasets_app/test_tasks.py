"""Tasks called as a worker calls them: through the real curation process."""

from __future__ import annotations

import errno
import importlib.util
from pathlib import Path

import pytest

from datasets_app import builder, recipes, selectors, services, tasks
from datasets_app.models import DatasetFile, DatasetVersion

spec = importlib.util.spec_from_file_location("datasets_conftest", Path(__file__).with_name("conftest.py"))
shared = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shared)
csv_of = shared.csv_of


def fresh(row):
    return type(row).objects.get(id=row.id)


def plain_recipe() -> dict:
    """The default, without the steps that need a tokenizer or the named-entity model."""
    body = recipes.default_recipe()
    recipes.step(body, "tokens")["enabled"] = False
    return body


def test_a_real_file_is_detected(upload, studio_home) -> None:
    file = upload(csv_of(12))
    tasks.detect_file(file.id)
    found = fresh(file)
    assert (found.state, found.error) == ("processed", "")
    assert (found.detection["format"], found.detection["rows"]) == ("csv", 12)
    assert found.detection["columns"] == ["question", "answer"]
    assert not list((studio_home / "work").iterdir())


def test_a_second_message_for_a_file_finds_nothing_to_do(upload, monkeypatch) -> None:
    file = upload(csv_of(3))
    tasks.detect_file(file.id)
    monkeypatch.setattr(builder, "detect", lambda *_, **__: pytest.fail("read twice"))
    tasks.detect_file(file.id)
    tasks.detect_file("file-unknown")


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "picture.csv"), (b"PK\x03\x04 broken", "sheet.xlsx")],
)
def test_a_broken_file_ends_as_an_error_with_a_sentence(upload, content, name) -> None:
    file = upload(content, name=name)
    tasks.detect_file(file.id)
    found = fresh(file)
    assert found.state == "error"
    assert len(found.error.split()) > 3 and "Traceback" not in found.error
    assert found.path.exists()


def test_a_file_that_a_dead_reader_held_is_read_by_the_next(upload) -> None:
    file = upload(csv_of(3))
    services.claim_file(file.id, holder="dead")
    tasks.detect_file(file.id)
    assert fresh(file).state == "uploaded"
    DatasetFile.objects.update(lease_until="2020-01-01T00:00:00Z")
    tasks.detect_file(file.id)
    assert (fresh(file).state, fresh(file).attempt) == ("processed", 2)


def test_a_version_is_built_by_the_real_curation(upload, as_bob, dataset, workspace, studio_home) -> None:
    upload(csv_of(40))
    upload(csv_of(3), name="tickets.csv")  # copies of the first three, under the same name
    version = services.create_version(as_bob, dataset=dataset, recipe=plain_recipe())
    tasks.build_version(version.id)
    found = selectors.version_of(workspace.id, version.id)
    assert (found.state, found.error) == ("ready", {})
    rows, splits = found.report["rows"], found.report["splits"]
    assert rows["in"] == 43 and rows["dropped"]["exact_duplicate"] == 3
    assert rows["in"] == rows["kept"] + sum(rows["dropped"].values())
    assert rows["kept"] == splits["train"] + splits["validation"] + splits["test"]
    assert splits["leaks"] == 0 and len(found.digest) == 64
    page, total = selectors.rows_page(found, split="train", offset=0, limit=5)
    assert (len(page), total) == (5, splits["train"])
    assert "@mail.example" not in str(selectors.rows_page(found, split="train", limit=100)[0])
    ledger, _ = selectors.ledger_page(found, reason="exact_duplicate")
    assert {row["file"] for row in ledger} == {"tickets-2.csv"}
    assert selectors.ledger_page(found, reason="no_such") == ([], 0)
    assert not list((studio_home / "work").iterdir())


def test_a_validation_file_of_the_same_name_is_used_whole_and_alone(upload, as_bob, dataset, workspace) -> None:
    training, validation = upload(csv_of(40)), upload(csv_of(6, start=500))
    recipe = plain_recipe()
    shares = {"train": 0.9, "validation": 0.0, "test": 0.1}
    recipes.step(recipe, "split")["options"].update(shares, validation_files=[validation.id])
    version = services.create_version(as_bob, dataset=dataset, recipe=recipe, files=[training, validation])
    tasks.build_version(version.id)
    found = fresh(version)
    assert found.error == {}
    rows, _ = selectors.rows_page(found, split="validation", limit=100)
    assert len(rows) == 6 and {row["file"] for row in rows} == {"tickets-2.csv"}


def test_a_version_from_a_broken_file_fails_with_what_and_what_to_do(upload, as_bob, dataset) -> None:
    upload(b"PK\x03\x04 broken", name="sheet.xlsx")
    version = services.create_version(as_bob, dataset=dataset, recipe=plain_recipe())
    tasks.build_version(version.id)
    error = fresh(version).error
    assert fresh(version).state == "failed"
    assert "sheet.xlsx" in error["message"] and error["fix"]


def test_a_cancelled_version_ends_cancelled_and_leaves_no_folder(upload, as_bob, dataset, monkeypatch) -> None:
    upload(csv_of(40))
    version = services.create_version(as_bob, dataset=dataset, recipe=plain_recipe())
    note = services.note_progress

    def cancel_first(held, *, progress):
        if not DatasetVersion.objects.get(id=held.id).cancel_requested:
            services.cancel_version(as_bob, version=held)
        return note(held, progress=progress)

    monkeypatch.setattr(tasks.services, "note_progress", cancel_first)
    tasks.build_version(version.id)
    assert fresh(version).state == "cancelled"
    assert not fresh(version).folder.exists()


def test_a_disk_that_fills_up_fails_the_file_and_the_version_with_a_sentence(as_bob, dataset, upload, monkeypatch):
    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    file = upload(csv_of(30))
    monkeypatch.setattr(builder, "_link", full)
    tasks.detect_file(file.id)
    assert (fresh(file).state, "no room" in fresh(file).error) == ("error", True)
    other = upload(csv_of(31))
    version = services.create_version(as_bob, dataset=dataset, files=[other], recipe=plain_recipe())
    tasks.build_version(version.id)
    assert (fresh(version).state, fresh(version).error["code"]) == ("failed", "disk_full")
    assert not version.folder.exists()
