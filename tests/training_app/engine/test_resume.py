"""A killed run that goes on must end with the very weights of a run that nobody killed."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def weights_digest(run: Path) -> str:
    names = ("model.safetensors", "adapter_model.safetensors")
    weights = next(run / "model" / name for name in names if (run / "model" / name).exists())
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def signal_at_step(spec: Path, step: int, sent: signal.Signals) -> subprocess.Popen[str]:
    """Start the engine as its own process and send it a signal when its events say that a step is done."""
    engine = subprocess.Popen(
        [sys.executable, "-m", "training_app.engine", "train", str(spec)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert engine.stdout is not None
    for line in engine.stdout:
        event = json.loads(line)
        if event["kind"] == "metric" and event["data"]["step"] == step:
            engine.send_signal(sent)
            break
    for line in engine.stdout.readlines()[:-1]:
        json.loads(line)  # nothing but events on standard output; a kill may cut the last line
    engine.wait(timeout=60)
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
    step = random.SystemRandom().randint(2, 10)
    engine = signal_at_step(killed, step, signal.SIGKILL)
    assert engine.returncode == -signal.SIGKILL
    assert not (killed.parent / "model").exists()

    code, events = run_engine("train", killed)

    assert code == 0
    resumed_from = events[0]["data"]["resumed_from"]
    assert resumed_from is None or 0 < resumed_from <= step + 2, f"killed at {step}"
    assert weights_digest(killed.parent) == weights_digest(whole.parent), f"killed at {step}, resumed {resumed_from}"


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
    assert [event["kind"] for event in first[-2:]] == ["checkpoint", "notice"]
    code, events = run_engine("train", stopped)
    assert code == 0
    assert events[0]["data"]["resumed_from"] == first[-2]["data"]["step"]
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
