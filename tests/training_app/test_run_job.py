"""The task that workers run, through the real engine process on a tiny random model."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from gptstudio.accounts.models import Workspace
from gptstudio.core import shutdown
from tests.training_app.engine.conftest import patient_engine
from training_app import launching, runner, selectors, services, tasks
from training_app.engine.checkpoints import steps_in
from training_app.management.commands.verify_model import way_to
from training_app.models import Checkpoint, Evaluation, FineTuningJob, JobEvent, LanguageModel

pytestmark = pytest.mark.long

LONG = {"batch_size": 1, "n_epochs": 4, "max_length": 64, "eval_steps": 20, "save_steps": 10}


@pytest.fixture(autouse=True)
def one_thread(monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def fresh(job) -> FineTuningJob:
    return FineTuningJob.objects.select_related("version").get(id=job.id)


def kinds(job, phase: str) -> list[str]:
    return list(JobEvent.objects.filter(job=job, phase=phase).order_by("seq").values_list("kind", flat=True))


def wait_for_the_worker(monkeypatch, folder: Path, *, step: int) -> Path:
    """The engine goes no further than this step until it is told to, by a file: gives its path."""
    script = patient_engine(folder, step=step)
    monkeypatch.setattr(launching, "ENGINE", (str(script),))
    return script.with_suffix(".told")


def kill_once(monkeypatch, folder: Path, *, at: str) -> list[int]:
    """Kill the engine, as the kernel would, when the event `at` is taken in."""
    told = wait_for_the_worker(monkeypatch, folder, step=LONG["save_steps"])
    killed: list[int] = []
    pids: list[int] = []
    take = services.record_events

    def watching(job, *, phase, events, offset):
        pids.extend(event["data"]["pid"] for event in events if event["kind"] == "started")
        taken = take(job, phase=phase, events=events, offset=offset)
        if not killed and any(event["kind"] == at for event in events):
            killed.append(pids[-1])
            os.kill(pids[-1], signal.SIGKILL)
            told.touch()
        return taken

    monkeypatch.setattr(tasks.services, "record_events", watching)
    return killed


def test_a_killed_run_goes_on_by_itself_from_its_checkpoint_through_every_phase(
    make_job, written, monkeypatch, workspace, tmp_path
) -> None:
    Workspace.objects.filter(id=workspace.id).update(release_policy="automatic")
    monkeypatch.setitem(runner.child.run.__kwdefaults__, "tick_seconds", 0.05)
    killed = kill_once(monkeypatch, tmp_path, at="checkpoint")
    job = make_job(version=written, hyperparameters=LONG)
    tasks.run_job(job.id)
    assert killed
    found = fresh(job)
    assert found.error == {}
    first, second = JobEvent.objects.filter(job=job, phase="train", kind="started").order_by("seq")
    assert first.data["resumed_from"] is None and second.data["resumed_from"] >= 10
    death = JobEvent.objects.get(job=job, kind="killed")
    assert death.message.startswith("The engine was killed by something outside the studio. It goes on from step")
    assert "micro_batch_size" not in found.hyperparameters
    check_training(found)
    model = selectors.model_of_job(found)
    check_verdict(found, model)
    assert not any(folder.exists() for folder in found.weights), (
        "the store has the model, and nothing goes back to training"
    )
    way = {step.subject.partition(" ")[0]: step.state for step in way_to(model)}
    assert {way[kind] for kind in ("base", "upload", "spec", "model")} == {"fine"}
    if selectors.evaluation_of(model).is_safe:
        assert (found.state, found.phase) == ("running", "release")
        assert services.finish_released_job(job.id)
    assert fresh(job).state == "succeeded"
    tasks.run_job(job.id)  # a doubled message
    assert (Evaluation.objects.count(), fresh(job).attempt) == (1, 1)


@pytest.mark.once
def test_two_processes_train_one_job_and_one_that_is_killed_ends_nothing(
    make_job, written, monkeypatch, settings, tmp_path
) -> None:
    settings.TRAINING_PROCESSES = 2
    killed = kill_once(monkeypatch, tmp_path, at="checkpoint")
    job = make_job(version=written, hyperparameters={**LONG, "batch_size": 2})
    held = services.claim_job(job.id, holder="test")
    assert tasks._train(held)
    assert killed and JobEvent.objects.filter(job=job, kind="killed").exists()
    found = fresh(job)
    assert found.plan["processes"] == 2 and found.plan["finished"]["steps"] == 80
    assert (job.folder / "model" / "model.safetensors").exists()


def check_training(job: FineTuningJob) -> None:
    assert job.trained_tokens > 0 and job.plan["train_rows"] == 40
    steps = [point.step for point in selectors.metrics_of(job)]
    assert steps == sorted(set(steps)) and max(steps) == job.plan["steps"] == 160
    assert [point for point in selectors.metrics_of(job) if point.validation_loss is not None]
    assert {"started", "plan", "metric", "checkpoint", "saved", "finished"} <= set(kinds(job, "train"))
    assert not Checkpoint.objects.filter(job=job).exists(), "the model is kept, so they are deleted"
    spec = json.loads((job.folder / "spec.json").read_text())
    assert (spec["attempt"], spec["hyperparameters"]) == (1, job.hyperparameters)


def check_verdict(job: FineTuningJob, model: LanguageModel) -> None:
    assert kinds(job, "evaluate")[-1] == kinds(job, "safety")[-1] == "finished"
    assert (model.path / "model.safetensors").exists() and not model.is_adapter
    verdict = selectors.evaluation_of(model)
    assert verdict.rows == 4
    assert verdict.base_scores["perplexity"] > verdict.tuned_scores["perplexity"] > 0
    assert verdict.safety["checks"] and verdict.is_safe == verdict.safety["passed"]


@pytest.mark.once
def test_when_its_worker_ends_a_run_saves_first_and_the_next_worker_goes_on_by_itself(
    make_job, written, monkeypatch, tmp_path
) -> None:
    wait_for_the_worker(monkeypatch, tmp_path, step=2)
    monkeypatch.setattr(shutdown, "_asked", bytearray(1))
    monkeypatch.setitem(runner.child.run.__kwdefaults__, "tick_seconds", 0.05)
    job = make_job(version=written, hyperparameters={**LONG, "save_steps": 1000, "eval_steps": 1000})
    beat = services.beat

    def end_once_it_learns(held):
        if JobEvent.objects.filter(job=job, kind="metric").exists():
            shutdown.ask()
        return beat(held)

    with monkeypatch.context() as patch:
        patch.setattr(tasks.services, "beat", end_once_it_learns)
        tasks.run_job(job.id)
    step = Checkpoint.objects.get(job=job).step
    assert fresh(job).state == "queued" and step < 160
    assert JobEvent.objects.filter(job=job, phase="").last().message == (
        f"The worker ended; the run goes on by itself; what was learnt up to step {step} is kept as a checkpoint"
    )
    tasks.run_job(job.id)
    assert (fresh(job).state, fresh(job).attempt) == ("queued", 1), "a worker that ends begins nothing"
    monkeypatch.setattr(shutdown, "_asked", bytearray(1))
    assert tasks._train(services.claim_job(job.id, holder="next"))
    assert JobEvent.objects.filter(job=job, kind="started").last().data["resumed_from"] == step


@pytest.mark.once
def test_a_cancelled_run_ends_cancelled_with_a_checkpoint(make_job, written, as_tom, monkeypatch) -> None:
    job = make_job(version=written, hyperparameters={**LONG, "n_epochs": 50})
    beat = services.beat

    def cancel_once_it_learns(held):
        if JobEvent.objects.filter(job=job, kind="metric").exists() and fresh(job).wanted == "run":
            services.cancel_job(as_tom, job=job)
        return beat(held)

    monkeypatch.setattr(tasks.services, "beat", cancel_once_it_learns)
    tasks.run_job(job.id)
    assert fresh(job).state == "cancelled"
    assert selectors.model_of_job(job) is None
    listed = {checkpoint.step for checkpoint in Checkpoint.objects.filter(job=job)}
    assert listed == set(steps_in(job.folder / "checkpoints")), "those that were deleted are not listed"
    monkeypatch.undo()
    assert services.resume_job(as_tom, job=fresh(job)).state == "queued"


def test_what_the_engine_refuses_is_the_jobs_error(make_job, written) -> None:
    job = make_job(version=written, hyperparameters=LONG)
    FineTuningJob.objects.filter(id=job.id).update(hyperparameters={**job.hyperparameters, "batch_size": -1})
    tasks.run_job(job.id)
    found = fresh(job)
    assert found.state == "failed"
    assert "batch_size" in found.error["message"] and found.error["fix"]
    assert "Traceback" not in str(found.error)
