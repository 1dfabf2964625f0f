"""Versions as rows: numbered, cancelled, retried, sent again when their worker died."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from datasets_app import recipes, selectors, services
from datasets_app.models import DatasetFile, DatasetVersion
from datasets_app.services import stale
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound
from gptstudio.review.models import ReviewItem
from gptstudio.review.services import decide

REPORT = {"rows": {"in": 10, "kept": 9}, "splits": {"train": 7, "validation": 1, "test": 1}, "personal_data": {}}


@pytest.fixture
def version(upload, as_bob, dataset):
    upload("question,answer\na,b\n")
    return services.create_version(as_bob, dataset=dataset)


@pytest.fixture
def sent(monkeypatch):
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(stale, "enqueue", lambda task, subject, **_: found.append((task, subject)))
    return found


def age(queryset) -> None:
    queryset.update(created_at=timezone.now() - timedelta(minutes=5))


def expire(queryset) -> None:
    queryset.update(lease_until=timezone.now() - timedelta(seconds=1))


def row(version):
    return DatasetVersion.objects.filter(id=version.id)


def test_versions_count_up_and_hold_their_files_and_recipe(version, as_bob, dataset) -> None:
    second = services.create_version(as_bob, dataset=dataset, recipe=recipes.PRESETS[1]["recipe"])
    assert (version.number, second.number) == (1, 2)
    assert version.recipe == recipes.default_recipe() != second.recipe
    assert list(second.files.all()) == list(dataset.files.all())


@pytest.mark.django_db(transaction=True)
def test_versions_asked_for_at_once_get_numbers_of_their_own(upload, as_bob, dataset) -> None:
    upload("question,answer\na,b\n")
    gate = threading.Barrier(3)

    def ask() -> None:
        gate.wait(timeout=120)
        try:
            services.create_version(as_bob, dataset=dataset)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert sorted(DatasetVersion.objects.values_list("number", flat=True)) == [1, 2, 3]


def test_a_data_set_without_files_has_no_version(as_bob, dataset) -> None:
    with pytest.raises(Invalid, match="no file yet"):
        services.create_version(as_bob, dataset=dataset)


def test_a_wrong_recipe_makes_no_version(upload, as_bob, dataset) -> None:
    upload("question,answer\na,b\n")
    with pytest.raises(Invalid):
        services.create_version(as_bob, dataset=dataset, recipe={"steps": []})
    assert not DatasetVersion.objects.exists()


def test_a_waiting_version_is_cancelled_at_once(version, as_bob) -> None:
    cancelled = services.cancel_version(as_bob, version=version)
    assert (cancelled.state, cancelled.finished_at is not None) == ("cancelled", True)
    assert services.claim_version(version.id, holder="w") is None
    with pytest.raises(Conflict):
        services.cancel_version(as_bob, version=version)


def test_a_version_being_built_is_stopped_at_the_next_heartbeat(version, as_bob) -> None:
    held = services.claim_version(version.id, holder="w")
    assert services.note_progress(held, progress={"step": "read", "done": 1, "total": 9})
    assert services.cancel_version(as_bob, version=version).state == "building"
    assert not services.note_progress(held, progress={"step": "read", "done": 2, "total": 9})
    services.fail_version(held, code="cancelled", message="Stopped.")
    assert row(version).get().state == "cancelled"


def test_two_workers_never_build_the_same_version(version) -> None:
    assert services.claim_version(version.id, holder="one") is not None
    assert services.claim_version(version.id, holder="two") is None


def test_a_worker_that_lost_its_lease_finishes_nothing(version) -> None:
    late = services.claim_version(version.id, holder="late")
    expire(row(version))
    services.claim_version(version.id, holder="new")
    assert not services.note_progress(late, progress={})
    assert not services.finish_version(late, report=REPORT, digest="d" * 64)
    assert not services.fail_version(late, code="failed", message="No.")
    assert (row(version).get().state, row(version).get().report) == ("building", {})
    assert not AuditEvent.objects.filter(action="version.ready").exists()


def test_a_finished_version_is_frozen_with_its_report(version) -> None:
    held = services.claim_version(version.id, holder="w")
    assert services.finish_version(held, report=REPORT, digest="d" * 64)
    found = row(version).get()
    assert (found.state, found.report, found.digest, found.lease_until) == ("ready", REPORT, "d" * 64, None)
    assert AuditEvent.objects.get(action="version.ready").data == {"digest": "d" * 64, "rows": 9}
    assert not ReviewItem.objects.exists()
    assert selectors.version_is_cleared(found)


def test_a_failed_version_is_retried_as_it_was(version, as_bob) -> None:
    held = services.claim_version(version.id, holder="w")
    services.fail_version(held, code="bad_recipe", message="It cannot be.", fix="Change it.")
    failed = row(version).get()
    assert failed.error == {"code": "bad_recipe", "message": "It cannot be.", "fix": "Change it."}
    again = services.retry_version(as_bob, version=failed)
    assert (again.state, again.error, again.number) == ("queued", {}, 1)
    assert services.claim_version(version.id, holder="w").attempt == 2
    with pytest.raises(Conflict):
        services.retry_version(as_bob, version=row(version).get())


def kept(upload, as_bob, dataset):
    upload("question,answer\na,b\n")
    body = recipes.default_recipe()
    recipes.step(body, "personal_data")["options"]["default"] = "keep"
    version = services.create_version(as_bob, dataset=dataset, recipe=body)
    services.finish_version(services.claim_version(version.id, holder="w"), report=REPORT, digest="d" * 64)
    return row(version).get()


def test_a_version_that_keeps_personal_data_waits_for_a_second_person(upload, as_bob, as_alice, dataset, bob) -> None:
    version = kept(upload, as_bob, dataset)
    item = ReviewItem.objects.get(kind="version", subject_id=version.id)
    assert item.makers == [bob.id]
    assert not selectors.version_is_cleared(version)
    decide(as_alice, item=item, verdict="approved", reason="The customers agreed.")
    assert selectors.version_is_cleared(version)


def test_a_version_whose_recipe_looks_for_no_names_waits_too_and_its_item_says_why(upload, as_bob, dataset) -> None:
    upload("question,answer\na,b\n")
    body = recipes.default_recipe()
    recipes.step(body, "personal_data")["options"]["names"] = False
    version = services.create_version(as_bob, dataset=dataset, recipe=body)
    services.finish_version(services.claim_version(version.id, holder="w"), report=REPORT, digest="d" * 64)
    assert not selectors.version_is_cleared(row(version).get())
    assert "does not look for names" in ReviewItem.objects.get(subject_id=version.id).title


def test_after_a_no_the_maker_may_ask_again(upload, as_bob, as_alice, dataset) -> None:
    version = kept(upload, as_bob, dataset)
    item = ReviewItem.objects.get(subject_id=version.id)
    decide(as_alice, item=item, verdict="rejected", reason="Not without consent.")
    assert services.request_version_review(as_bob, version=version).state == "pending"


def test_a_second_look_may_be_asked_for_and_a_no_holds_whatever_the_recipe(upload, as_bob, as_alice, dataset) -> None:
    upload("question,answer\na,b\n")
    version = services.create_version(as_bob, dataset=dataset)
    with pytest.raises(Conflict, match="no rows that a reviewer could look at"):
        services.request_version_review(as_bob, version=version)
    services.finish_version(services.claim_version(version.id, holder="w"), report=REPORT, digest="d" * 64)
    version.refresh_from_db()
    item = services.request_version_review(as_bob, version=version)
    assert "somebody asks for a second look" in item.title and selectors.version_is_cleared(version)
    decide(as_alice, item=item, verdict="rejected", reason="Too many names left.")
    assert not selectors.version_is_cleared(version)
    services.request_version_review(as_bob, version=version)
    assert not selectors.version_is_cleared(version), "asking again is no answer"
    item.refresh_from_db()
    decide(as_alice, item=item, verdict="approved", reason="They are gone.")
    assert selectors.version_is_cleared(version)


def test_what_nobody_holds_is_sent_again_but_not_at_once(version, dataset, sent) -> None:
    assert services.requeue_stale() == 0
    age(DatasetVersion.objects)
    age(DatasetFile.objects)
    file = dataset.files.get()
    assert services.requeue_stale() == 2
    assert sent == [("datasets.detect_file", file.id), ("datasets.build_version", version.id)]


def test_what_is_held_is_left_alone_until_its_worker_dies(version, dataset, sent) -> None:
    age(DatasetVersion.objects)
    services.claim_file(dataset.files.get().id, holder="w")
    services.claim_version(version.id, holder="w")
    assert services.requeue_stale() == 0
    expire(row(version))
    assert services.requeue_stale() == 1
    assert sent == [("datasets.build_version", version.id)]


def test_what_ends_its_worker_every_time_is_given_up(version, dataset, sent) -> None:
    services.claim_version(version.id, holder="w")
    services.claim_file(dataset.files.get().id, holder="w")
    for queryset in (DatasetVersion.objects, DatasetFile.objects):
        age(queryset)
        queryset.update(attempt=stale.MOST_ATTEMPTS)
        expire(queryset)
    assert services.requeue_stale() == 0
    assert row(version).get().error["code"] == "gave_up"
    assert "never came to an end" in dataset.files.get().error


def test_a_stranger_gets_not_found_for_a_version_and_may_not_touch_it(version, as_charlie) -> None:
    with pytest.raises(NotFound):
        selectors.version_of(as_charlie.workspace_id, version.id)
    for act in (services.cancel_version, services.retry_version, services.request_version_review):
        with pytest.raises(NotAllowed):
            act(as_charlie, version=version)
