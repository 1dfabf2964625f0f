"""Measurements before a start: asked for once, taken by the real engine, dropped when nobody wants them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from datasets_app import recipes
from gptstudio.core.errors import Conflict, NotAllowed
from training_app import launching, presets, runner, services, tasks
from training_app.models import Measurement
from training_app.preflight import look_up
from training_app.services.measuring import requeue_stale_measurements


@pytest.fixture(autouse=True)
def one_thread(monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def ask(as_tom, base):
    def request(version, *, kind="inspect", actor=as_tom, **asked):
        settings = presets.resolve(
            preset_key="quick", method="full", requested={"max_length": 64, **asked}, parameters=1, rows=40,
            context_length=256, seed=0,
        )  # fmt: skip
        run = {"version": version, "base_model": base, "method": "full", "hyperparameters": settings}
        return services.request_measurement(actor, kind=kind, **run), run

    return request


def fresh(held) -> Measurement:
    return Measurement.objects.get(id=held.id)


@pytest.mark.once
def test_a_worker_without_a_gpu_looks_the_run_over_once(ask, written, settings) -> None:
    settings.TRAINING_DEVICE = "cuda"
    held, run = ask(written)
    tasks.measure(held.id)
    found = fresh(held)
    assert (found.state, found.result["train"]["rows"], found.lease_holder) == ("ready", 40, "")
    assert look_up(**run).seen["train"]["longest"] > 0
    again, _ = ask(written, learning_rate=0.1, n_epochs=7)
    assert again.id == held.id and again.state == "ready", "neither changes what is seen"
    other, _ = ask(written, max_length=32)
    assert other.id != held.id
    tasks.measure(held.id)  # a doubled message
    assert fresh(held).attempt == 1


@pytest.mark.once
def test_real_steps_give_the_job_what_is_expected_of_it(ask, written, make_job, studio_home) -> None:
    held, _run = ask(written, kind="estimate", batch_size=4)
    tasks.measure(held.id)
    found = fresh(held)
    assert found.state == "ready" and found.result["steps_tried"] == 10
    assert list((studio_home / "work").iterdir()) == [], "neither rows nor weights are left"
    job = make_job(version=written, preset="quick", hyperparameters={"max_length": 64, "batch_size": 4, "n_epochs": 3})
    assert job.estimate["seconds"] > found.result["start_seconds"]
    assert job.estimate["memory_bytes"] == found.result["memory_bytes"]
    assert make_job(version=written, hyperparameters={"batch_size": 2}).estimate == {}


@pytest.mark.parametrize(
    ("name", "value"), [("TRAINING_DEVICE", "cuda"), ("TRAINING_THREADS", 7), ("TRAINING_PROCESSES", 2)]
)
def test_what_was_measured_counts_for_the_machine_that_it_was_measured_on(ask, version, settings, name, value) -> None:
    (estimate, run), (inspection, _) = ask(version, kind="estimate"), ask(version)
    assert look_up(**run).estimate == estimate
    setattr(settings, name, value)
    look = look_up(**run)
    assert look.estimate is None and look.inspection == inspection
    assert ask(version, kind="estimate")[0].id != estimate.id


@pytest.mark.once
def test_what_cannot_be_measured_keeps_its_sentence_and_may_be_tried_again(ask, written, base) -> None:
    held, _ = ask(written, kind="estimate")
    written.split_path("train").write_bytes(b"no parquet")
    tasks.measure(held.id)
    failed = fresh(held)
    assert failed.state == "failed" and failed.error["message"] and failed.error["fix"]
    again, _ = ask(written, kind="estimate")
    assert (again.id, again.state) == (held.id, "queued")


def test_an_earlier_try_of_the_same_person_is_dropped_unless_it_has_begun(ask, version, as_alice) -> None:
    begun, _ = ask(version, kind="estimate", batch_size=2)
    seen, _ = ask(version)
    theirs, _ = ask(version, kind="estimate", batch_size=16, actor=as_alice)
    held = services.claim_measurement(begun.id, holder="test")
    ask(version, kind="estimate", batch_size=4)
    last, _ = ask(version, kind="estimate", batch_size=8)
    assert set(Measurement.objects.values_list("id", flat=True)) == {begun.id, last.id, seen.id, theirs.id}
    assert services.hold_measurement(held), "it may be looked at in another window"
    Measurement.objects.filter(id=begun.id).delete()
    assert not services.hold_measurement(held), "its worker is told to stop"
    assert not services.finish_measurement(held, result={})


@pytest.mark.once
def test_what_was_measured_beside_a_fine_tune_is_measured_again_once_that_is_over(ask, written, make_job) -> None:
    job = services.claim_job(make_job(version=written).id, holder="test")
    held, _ = ask(written, kind="estimate")
    tasks.measure(held.id)
    assert fresh(held).result["was_shared"] is True
    assert ask(written, kind="estimate")[0].state == "ready", "it would be shared again"
    services.fail_job(job, code="test", message="Over.")
    assert ask(written, kind="estimate")[0].state == "queued"


def test_an_engine_that_is_killed_while_measuring_says_so_and_blames_no_memory(ask, written, monkeypatch) -> None:
    monkeypatch.setitem(runner.child.run.__kwdefaults__, "tick_seconds", 0.05)
    monkeypatch.setattr(launching, "ENGINE", ("-c", "import os; os.kill(os.getpid(), 9)"))
    held, _ = ask(written, kind="estimate")
    tasks.measure(held.id)
    found = fresh(held)
    assert (found.state, found.error["code"]) == ("failed", "engine_died")
    assert "was killed by something outside the studio" in found.error["message"]
    assert "Resume" not in found.error["fix"]


def test_stale_ones_are_sent_again_given_up_and_forgotten(ask, version) -> None:
    held, _ = ask(version)
    assert requeue_stale_measurements() == 0
    Measurement.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert requeue_stale_measurements() == 1
    Measurement.objects.update(attempt=3)
    requeue_stale_measurements()
    assert fresh(held).error["code"] == "gave_up"
    Measurement.objects.update(created_at=timezone.now() - timedelta(days=200))
    requeue_stale_measurements()
    assert not Measurement.objects.exists()


def test_neither_a_stranger_nor_an_editor_has_anything_measured(ask, version, as_charlie, as_bob) -> None:
    for actor in (as_charlie, as_bob):
        with pytest.raises(NotAllowed):
            ask(version, actor=actor)
    version.state = "building"
    with pytest.raises(Conflict, match="building"):
        ask(version)


def test_a_version_is_derived_for_another_model_with_the_same_rows(as_tom, version, base, as_charlie) -> None:
    made = services.derive_version(as_tom, version=version, base_model=base, max_length=100_000)
    options = recipes.step(made.recipe, "tokens")["options"]
    assert (options["model"], options["limit"]) == (base.name, 256)
    assert (made.parent_id, list(made.files.all())) == (version.id, list(version.files.all()))
    without = [each for each in made.recipe["steps"] if each["kind"] != "tokens"]
    assert without == [each for each in version.recipe["steps"] if each["kind"] != "tokens"]
    with pytest.raises(NotAllowed):
        services.derive_version(as_charlie, version=version, base_model=base)
