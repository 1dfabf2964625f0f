"""A killed run that goes on must end with the very weights of a run that nobody killed."""

from __future__ import annotations

import hashlib
import io
import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.training_app.engine.conftest import patient_engine
from training_app.engine import watch
from training_app.engine.command import execute
from training_app.engine.machine import seconds_of_process
from training_app.engine.stopping import StopRequest
from training_app.engine.trainer import AnswerTrainer

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]


def weights_digest(run: Path) -> str:
    names = ("model.safetensors", "adapter_model.safetensors")
    weights = next(run / "model" / name for name in names if (run / "model" / name).exists())
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def signal_at_step(spec: Path, step: int, sent: signal.Signals, *, kind: str = "metric") -> subprocess.Popen[str]:
    """Start the engine as its own process and send it a signal when its events say that a step is done."""
    engine = subprocess.Popen(
        [sys.executable, str(patient_engine(spec.parent, step=step)), "train", str(spec)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert engine.stdout is not None
    for line in engine.stdout:
        event = json.loads(line)
        if event["kind"] == kind and event["data"]["step"] == step:
            engine.send_signal(sent)
            break
    for line in engine.stdout.readlines()[:-1]:
        json.loads(line)  # nothing but events on standard output; a kill may cut the last line
    engine.wait(timeout=240)
    return engine


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_run_killed_at_a_random_step_ends_with_the_same_weights(
    method: str,
    train_content: dict[str, Any],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    content = {**train_content, "method": method}
    whole = write_run("whole", content)
    assert run_engine("train", whole)[0] == 0
    killed = write_run("killed", content)
    step = random.Random(method).randint(2, 10)  # bench/kill_trials.py draws others each time
    engine = signal_at_step(killed, step, signal.SIGKILL)
    assert engine.returncode == -signal.SIGKILL
    assert not (killed.parent / "model").exists()

    code, events = run_engine("train", killed)

    assert code == 0
    resumed_from = events[0]["data"]["resumed_from"]
    assert resumed_from is None or 0 < resumed_from <= step + 2, f"killed at {step}"
    assert weights_digest(killed.parent) == weights_digest(whole.parent), f"killed at {step}, resumed {resumed_from}"


def test_a_run_killed_right_after_a_look_at_the_validation_rows_ends_with_the_same_weights(
    train_content: dict[str, Any],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    whole = write_run("whole", train_content)
    assert run_engine("train", whole)[0] == 0
    killed = write_run("killed", train_content)
    assert signal_at_step(killed, 6, signal.SIGKILL, kind="evaluation").returncode == -signal.SIGKILL
    assert run_engine("train", killed)[0] == 0
    assert weights_digest(killed.parent) == weights_digest(whole.parent)


def test_a_run_that_goes_on_with_fewer_rows_at_a_time_learns_the_same_and_adds_up_its_time(
    train_content: dict[str, Any],
    still_model: Path,
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    train_content["base_model"]["path"] = str(still_model)
    train_content["hyperparameters"] |= {"precision": "float32"}

    def curve(events: list[dict[str, Any]]) -> dict[int, float]:
        return {each["data"]["step"]: each["data"]["loss"] for each in events if each["kind"] == "metric"}

    _, events = run_engine("train", write_run("whole", train_content))
    halved = write_run("halved", train_content)
    lived = seconds_of_process()
    assert run_engine("train", halved, stop_at=("metric", 5))[0] == 3
    train_content["hyperparameters"]["micro_batch_size"] = 2
    write_run("halved", train_content)

    code, after = run_engine("train", halved)

    step, found = after[0]["data"]["resumed_from"], curve(after)
    assert code == 0 and step in (5, 6) and min(found) == step + 1
    assert found == pytest.approx({step: curve(events)[step] for step in found}, rel=5e-3)
    (usage,) = [each["data"] for each in after if each["kind"] == "usage"]
    assert usage["seconds"] > 1.9 * lived > 0, "in this test both stretches are lived by one process"


def test_sigterm_saves_a_checkpoint_that_the_next_start_goes_on_from(
    train_content: dict[str, Any],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    whole = write_run("whole", train_content)
    assert run_engine("train", whole)[0] == 0
    stopped = write_run("stopped", train_content)

    engine = signal_at_step(stopped, 5, signal.SIGTERM)

    assert engine.returncode == 3
    first = [json.loads(line) for line in (stopped.parent / "events.jsonl").read_text().splitlines()]
    assert [event["kind"] for event in first[-3:]] == ["checkpoint", "kept", "notice"]
    code, events = run_engine("train", stopped)
    assert code == 0
    assert events[0]["data"]["resumed_from"] == first[-3]["data"]["step"]
    assert [event["seq"] for event in first + events] == list(range(1, len(first) + len(events) + 1))
    assert weights_digest(stopped.parent) == weights_digest(whole.parent)


def test_a_stop_at_every_kind_of_step_does_not_change_the_weights(
    train_content: dict[str, Any],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    whole = write_run("whole", train_content)
    assert run_engine("train", whole)[0] == 0
    stopped = write_run("stopped", train_content)
    # In the first epoch, on a validation, at the end of the epoch, in the second epoch.
    for step in (1, 3, 6, 8):
        assert run_engine("train", stopped, stop_at=("metric", step))[0] == 3
    assert run_engine("train", stopped)[0] == 0
    assert weights_digest(stopped.parent) == weights_digest(whole.parent)


def test_a_checkpoint_is_also_made_when_time_has_passed_and_changes_no_weights(
    train_content: dict[str, Any],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train_content["hyperparameters"] |= {"save_steps": 1000, "eval_steps": 1000}
    whole, often = write_run("whole", train_content), write_run("often", train_content)
    assert [each["data"]["step"] for each in run_engine("train", whole)[1] if each["kind"] == "checkpoint"] == [12]
    monkeypatch.setattr(watch, "SAVE_SECONDS", 0.0)
    code, events = run_engine("train", often, stop_at=("metric", 7))
    assert code == 3
    _, again = run_engine("train", often)
    saved = [each["data"]["step"] for each in events + again if each["kind"] == "checkpoint"]
    assert set(saved) == set(range(1, 13))
    assert weights_digest(often.parent) == weights_digest(whole.parent)


def stop_in_look(spec: Path, at: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[dict[str, Any]], int]:
    """Ask for a stop in the first batch of the look at step `at`; returns how many batches of it were looked at, too."""
    stop, mirror, looked = StopRequest(), io.StringIO(), []
    judge = AnswerTrainer._judge

    def judged(self: AnswerTrainer, *args: Any) -> Any:
        if self.state.global_step == at:
            stop.requested = True
            looked.append(1)
        return judge(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(AnswerTrainer, "_judge", judged)
        code = execute("train", spec, mirror, stop)
    return code, [json.loads(line) for line in mirror.getvalue().splitlines()], len(looked)


@pytest.mark.parametrize(("at", "patience"), [(3, 0), (6, 0), (12, 0), (6, 1)])
def test_a_stop_in_the_middle_of_a_look_saves_at_once_and_the_look_is_made_up_for(
    at: int,
    patience: int,
    train_content: dict[str, Any],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In an epoch, at its end, at the end of the run; and where patience runs out with that very look."""
    train_content["hyperparameters"] |= {"early_stopping_patience": patience, "early_stopping_min_delta": 50.0}
    whole, cut = write_run("whole", train_content), write_run("cut", train_content)
    expected = run_engine("train", whole)[1]
    code, events, batches = stop_in_look(cut, at, monkeypatch)
    assert (code, batches) == (3, 1)
    assert [each["kind"] for each in events[-3:]] == ["checkpoint", "kept", "notice"]
    assert events[-3]["data"]["step"] == at
    again = stop_in_look(cut, at, monkeypatch)
    assert (again[0], again[2]) == (3, 1), "cut short once more"

    code, rest = run_engine("train", cut)

    assert code == 0 and rest[0]["data"]["resumed_from"] == at

    def looks(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [each["data"] for each in said if each["kind"] == "evaluation"]

    assert looks(events + again[1] + rest) == looks(expected)
    assert rest[-1]["data"] == expected[-1]["data"]
    assert weights_digest(cut.parent) == weights_digest(whole.parent)


def test_a_spoilt_newest_checkpoint_is_deleted_and_the_one_before_is_taken(
    train_content: dict[str, Any],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    whole = write_run("whole", train_content)
    assert run_engine("train", whole)[0] == 0
    spec = write_run("spoilt", train_content)
    assert run_engine("train", spec, stop_at=("metric", 8))[0] == 3
    checkpoints = spec.parent / "checkpoints"
    steps = sorted(int(path.name.split("-")[1]) for path in checkpoints.iterdir())
    weights = checkpoints / f"checkpoint-{steps[-1]}" / "optimizer.pt"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)

    code, events = run_engine("train", spec)

    assert code == 0
    assert events[0]["data"]["resumed_from"] == steps[-2]
    assert any(event["kind"] == "notice" and f"steps {steps[-1]} " in event["data"]["message"] for event in events)
    assert weights_digest(spec.parent) == weights_digest(whole.parent)


def test_a_run_killed_after_early_stopping_fired_does_not_train_on(
    train_content: dict[str, Any],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    train_content["hyperparameters"] |= {"early_stopping_patience": 1, "early_stopping_min_delta": 50.0, "n_epochs": 4}
    spec = write_run("early", train_content)
    code, events = run_engine("train", spec)
    assert code == 0
    assert events[-1]["data"]["reason"] == "early_stopping"
    before = weights_digest(spec.parent)
    (spec.parent / "model").rename(spec.parent / "model.lost")

    code, again = run_engine("train", spec)

    assert code == 0
    assert not [event for event in again if event["kind"] == "metric"]
    assert again[-1]["data"] == events[-1]["data"]
    assert weights_digest(spec.parent) == before


def test_patience_survives_a_stop(
    train_content: dict[str, Any],
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    train_content["hyperparameters"] |= {"early_stopping_patience": 2, "early_stopping_min_delta": 50.0, "n_epochs": 4}
    spec = write_run("patient", train_content)
    # Patience is used once at step 6; the second time, at step 9, must end the run although it was stopped between.
    assert run_engine("train", spec, stop_at=("metric", 7))[0] == 3
    code, events = run_engine("train", spec)
    assert code == 0
    assert (events[-1]["data"]["reason"], events[-1]["data"]["steps"]) == ("early_stopping", 9)
