"""Runs that go on by themselves: after too little memory, after a kill, and with a smaller learning rate."""

from __future__ import annotations

import json
import sys

import pytest

from datasets_app.models import DatasetVersion
from gptstudio.core import memory_kills
from gptstudio.core.child import Result
from gptstudio.core.errors import Conflict, Invalid
from training_app import launching, runner, services, tasks
from training_app.endings import TICKS, Kills, error_of, how_ended
from training_app.models import Checkpoint, FineTuningJob, JobEvent


def fresh(job) -> FineTuningJob:
    return FineTuningJob.objects.get(id=job.id)


def said(job) -> list[str]:
    return list(JobEvent.objects.filter(job=job, phase="").order_by("seq").values_list("message", flat=True))


@pytest.fixture
def held(make_job):
    """A job that a worker has claimed."""
    return services.claim_job(make_job(hyperparameters={"batch_size": 12}).id, holder="test")


def test_too_little_memory_halves_the_rows_at_a_time_down_to_one(held) -> None:
    Checkpoint.objects.create(job=held, step=40, path="checkpoints/checkpoint-40")
    for rows in (6, 3, 1):
        assert services.shrink_batches(held)
        found = fresh(held).hyperparameters
        assert (found["micro_batch_size"], found["batch_size"], found["gradient_accumulation_steps"]) == (rows, 12, 1)
        assert runner.train_spec(held)["hyperparameters"]["micro_batch_size"] == rows
    assert not services.shrink_batches(held)
    first = "There was not enough memory. It goes on from step 40 with 6 rows at a time instead of 12; each step still "
    assert said(held)[0] == first + "learns from the same 12." and len(said(held)) == 3


@pytest.mark.parametrize("phase", ["evaluate", "safety"])
def test_a_comparison_or_check_that_is_too_large_begins_again_with_fewer_rows_until_there_are_too_few(
    phase, held, monkeypatch
) -> None:
    FineTuningJob.objects.filter(id=held.id).update(phase=phase)
    held.phase, shares = phase, []
    large = runner.Outcome("out_of_memory", error_of("out_of_memory", {}, doing=phase))
    monkeypatch.setattr(runner, "run_phase", lambda _job, *, spec, **_: shares.append(spec) or large)
    assert not tasks._run(held, lambda share: share)
    assert shares == [1, 1 / 4, 1 / 16, 1 / 64]
    again = "There was not enough memory. It begins again with a quarter of the rows at a time."
    assert said(held)[:-1] == [again] * 3
    assert (fresh(held).state, fresh(held).error["code"]) == ("failed", "out_of_memory")
    assert "with few rows at a time too" in fresh(held).error["message"]


def test_processes_share_a_step_that_can_be_shared(held, settings) -> None:
    spec = {"kind": "train", "hyperparameters": {"batch_size": 6, "gradient_accumulation_steps": 3}}
    for wanted, found in ((1, 1), (2, 2), (4, 3), (8, 6), (18, 18)):
        settings.TRAINING_PROCESSES = wanted
        assert launching.processes_for(spec) == found
    assert launching.processes_for({"kind": "evaluate"}) == 1


def test_an_engine_that_is_to_save_has_time_for_it_and_torchrun_a_little_less(held, settings, tmp_path) -> None:
    settings.TRAINING_PROCESSES, settings.TRAINING_GRACE_SECONDS = 2, 240
    spec = {"kind": "train", "hyperparameters": {"batch_size": 6, "gradient_accumulation_steps": 3}}
    call = launching.engine_call(spec, tmp_path)
    assert call[call.index("--shutdown-timeout") + 1] == "230" and call[call.index("--nproc-per-node") + 1] == "2"
    assert launching.grace_for(spec) == 240 and launching.grace_for({"kind": "safety"}) == 60


@pytest.mark.parametrize(("does", "saved"), [("exit", True), ("seal", True), ("sleep", False)])
def test_what_was_stopped_says_whether_it_saved(does, saved, held, monkeypatch, settings) -> None:
    """By its exit code; behind torchrun, which hides that, by a checkpoint that came after it was asked."""
    settings.TRAINING_GRACE_SECONDS = 0.2 if does == "sleep" else 60
    events = held.folder / "events.jsonl"
    event = {"v": 1, "seq": 1, "attempt": 1, "at": "2030-01-01T00:00:00+00:00", "kind": "checkpoint", "data": {}}
    acts = {
        "exit": "sys.exit(3)",
        "seal": f"open({str(events)!r}, 'a').write({json.dumps(event)!r} + chr(10)) and sys.exit(1)",
        "sleep": "None",
    }
    code = f"import pathlib, signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: {acts[does]})\n"
    code += "pathlib.Path(sys.argv[1]).touch()\nwhile True: signal.pause()"
    ready = held.folder / "ready"
    monkeypatch.setattr(runner, "engine_call", lambda *_: [sys.executable, "-S", "-c", code, str(ready)])
    spec = runner.train_spec(held)
    outcome = runner.run_phase(
        held, phase="train", spec=spec, on_events=lambda *_: True, on_tick=lambda: not ready.exists()
    )
    assert (outcome.name, outcome.saved) == ("stopped", saved)


def test_a_worker_that_lost_its_lease_changes_nothing(held) -> None:
    FineTuningJob.objects.filter(id=held.id).update(attempt=held.attempt + 1)
    assert not services.shrink_batches(held)
    assert "micro_batch_size" not in fresh(held).hyperparameters and not said(held)


def test_two_kills_without_a_new_checkpoint_are_borne_and_the_third_is_the_runs_own_fault(held) -> None:
    assert services.outlive_kill(held) and services.outlive_kill(held)
    assert not services.outlive_kill(held)
    Checkpoint.objects.create(job=held, step=5, path="checkpoints/checkpoint-5")
    assert services.outlive_kill(held)
    assert said(held)[-1] == "The engine was killed by something outside the studio. It goes on from step 5 as it was."


def test_after_the_third_kill_there_are_fewer_rows_at_a_time_and_kills_are_counted_anew(held) -> None:
    assert services.outlive_kill(held) and services.outlive_kill(held) and not services.outlive_kill(held)
    assert services.shrink_batches(held, after_kills=True)
    assert said(held)[-1].startswith("The engine was killed 3 times without getting any further, as where memory does")
    assert services.outlive_kill(held) and services.outlive_kill(held) and not services.outlive_kill(held)
    held.attempt += 1  # somebody resumed it
    assert services.outlive_kill(held)


def test_a_kill_by_the_kernel_long_before_does_not_count_as_one_of_this_process(tmp_path, monkeypatch) -> None:
    told = tmp_path / "vmstat"
    monkeypatch.setattr(memory_kills, "VMSTAT", told)
    told.write_text("oom_kill 3\n")
    kills = Kills()
    killed = Result("out_of_memory", -9)
    assert how_ended(killed, kills) == "killed"
    told.write_text("oom_kill 4\n")
    assert how_ended(killed, kills) == "out_of_memory"
    for _ in range(TICKS):
        kills.tick()
    assert how_ended(killed, kills) == "killed", "that was somebody else, a while ago"


def test_an_engine_that_says_why_it_failed_is_believed_whatever_its_log_speaks_of() -> None:
    said = Result("failed", 1, "RuntimeError: DefaultCPUAllocator: can't allocate memory\n")
    assert how_ended(said, Kills(), has_said=True) == "failed"
    assert how_ended(said, Kills()) == "out_of_memory"
    assert how_ended(Result("failed", -6, "std::bad_alloc"), Kills(), has_said=True) == "out_of_memory"


@pytest.mark.parametrize("is_old", [True, False])
def test_only_a_failure_of_this_attempt_counts(is_old, held, monkeypatch) -> None:
    held.folder.mkdir(parents=True)
    data = {"code": "disk", "message": "The disk is full.", "fix": "Make room."}
    event = {"v": 1, "seq": 1, "attempt": held.attempt - is_old, "at": "2030-01-01T00:00:00+00:00", "kind": "failed"}
    (held.folder / "events.jsonl").write_text(json.dumps({**event, "data": data}) + "\n")
    call = [sys.executable, "-S", "-c", "import sys; sys.exit('DefaultCPUAllocator: can\\'t allocate memory')"]
    monkeypatch.setattr(runner, "engine_call", lambda *_: call)
    outcome = runner.run_phase(
        held, phase="train", spec=runner.train_spec(held), on_events=lambda *_: True, on_tick=lambda: True
    )
    assert outcome.name == ("out_of_memory" if is_old else "failed")
    assert is_old or outcome.error == data


@pytest.mark.parametrize("doing", ["train", "evaluate", "safety", "inspect", "estimate"])
def test_each_phase_has_sentences_of_its_own_for_its_end(doing) -> None:
    memory, killed, failed = (error_of(each, {}, doing=doing) for each in ("out_of_memory", "killed", "failed"))
    assert len({each["message"] for each in (memory, killed, failed)}) == 3
    assert all(each["fix"] for each in (memory, killed, failed))
    assert ("checkpoint" in failed["fix"]) == (doing == "train")
    assert ("Training is done and kept" in memory["fix"]) == (doing in ("evaluate", "safety"))


def test_what_learned_from_erased_rows_is_not_resumed(make_job, as_tom, version) -> None:
    job = make_job()
    FineTuningJob.objects.filter(id=job.id).update(state="paused")
    DatasetVersion.objects.filter(id=version.id).update(state="erased")
    with pytest.raises(Conflict, match="rows of this fine-tune were erased"):
        services.resume_job(as_tom, job=fresh(job))
    FineTuningJob.objects.filter(id=job.id).update(state="validating_files")
    services.requeue_stale()
    assert (fresh(job).state, fresh(job).error["code"]) == ("failed", "invalid_training_file")


def test_the_kernel_tells_how_often_it_killed_for_memory(tmp_path, monkeypatch) -> None:
    told = tmp_path / "vmstat"
    monkeypatch.setattr(memory_kills, "VMSTAT", told)
    assert memory_kills.kernel_kills() is None
    told.write_text("pgfault 12\noom_kill 3\noom_kill_other 9\n")
    assert memory_kills.kernel_kills() == 3


def test_only_a_run_whose_loss_was_no_number_goes_on_with_a_tenth_of_the_rate(make_job, as_tom) -> None:
    job = make_job(hyperparameters={"learning_rate": 0.002})
    error = {"code": "engine_died", "message": "", "fix": ""}
    FineTuningJob.objects.filter(id=job.id).update(state="failed", error=error)
    with pytest.raises(Conflict, match="whose loss stopped being a number"):
        services.resume_job(as_tom, job=fresh(job), gentler=True)
    FineTuningJob.objects.filter(id=job.id).update(error=error | {"code": "loss_not_finite"})
    resumed = services.resume_job(as_tom, job=fresh(job), gentler=True)
    assert (resumed.state, fresh(job).hyperparameters["learning_rate"]) == ("queued", pytest.approx(0.0002))


def test_what_needs_a_gpu_or_pairs_is_refused_before_the_start(make_job, settings) -> None:
    with pytest.raises(Invalid, match="QLoRA works on a GPU only"):
        make_job(method="qlora")
    with pytest.raises(Invalid, match="adamw_8bit works on a GPU only"):
        make_job(hyperparameters={"optimizer": "adamw_8bit"})
    with pytest.raises(Invalid, match="no pairs of answers"):
        make_job(hyperparameters={"objective": "dpo"})
    assert not FineTuningJob.objects.exists()
    settings.TRAINING_DEVICE = "cuda"
    assert make_job(method="qlora").method == "qlora"
