"""What is wrong with a model, the data, the disk or the memory ends a run with one sentence, and keeps it."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from training_app.engine.trainer import AnswerTrainer

Run = Callable[..., tuple[int, list[dict[str, Any]]]]
ROOT = Path(__file__).parents[3]


def failure(events: list[dict[str, Any]]) -> dict[str, Any]:
    assert events[-1]["kind"] == "failed"
    data: dict[str, Any] = events[-1]["data"]
    assert data["message"] and data["fix"] and "Traceback" not in data["message"]
    return data


def metrics_of(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event["data"] for event in events if event["kind"] == "metric"]


@pytest.fixture
def broken(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, to be spoilt."""
    return Path(shutil.copytree(tiny, tmp_path / "broken"))


def test_weights_that_were_cut_short_are_refused(
    train_content: dict[str, Any], broken: Path, write_run: Callable[..., Path], run_engine: Run
) -> None:
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    train_content["base_model"]["path"] = str(broken)
    code, events = run_engine("train", write_run("cut", train_content))
    assert code == 1
    assert failure(events)["code"] == "model_unreadable"


def test_missing_weights_are_not_made_up(
    train_content: dict[str, Any], broken: Path, write_run: Callable[..., Path], run_engine: Run
) -> None:
    weights = load_file(broken / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    train_content["base_model"]["path"] = str(broken)
    code, events = run_engine("train", write_run("gaps", train_content))
    assert code == 1
    assert "model.layers.1.mlp.up_proj.weight" in failure(events)["message"]


def test_weights_of_another_shape_are_refused(
    train_content: dict[str, Any], broken: Path, write_run: Callable[..., Path], run_engine: Run
) -> None:
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config | {"intermediate_size": 48}))
    train_content["base_model"]["path"] = str(broken)
    code, events = run_engine("train", write_run("shape", train_content))
    assert code == 1
    assert failure(events)["code"] == "model_unreadable"


def test_a_tokenizer_of_another_model_is_refused(
    train_content: dict[str, Any], broken: Path, write_run: Callable[..., Path], run_engine: Run
) -> None:
    weights = load_file(broken / "model.safetensors")
    name = "model.embed_tokens.weight"
    weights[name] = weights[name][:200].clone()
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config | {"vocab_size": 200}))
    train_content["base_model"]["path"] = str(broken)
    code, events = run_engine("train", write_run("foreign", train_content))
    assert code == 1
    assert "has 261 tokens, but the model was made for 200" in failure(events)["message"]


def test_a_batch_larger_than_the_data_and_a_single_validation_row_are_said(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, make_split: Callable[..., Path]
) -> None:
    train_content["data"] = {"train": str(make_split("few", 5)), "validation": str(make_split("one", 1))}
    train_content["hyperparameters"] |= {"batch_size": 64, "n_epochs": 3, "eval_steps": 1}
    code, events = run_engine("train", write_run("few", train_content))
    assert code == 0
    said = [event["data"]["message"] for event in events if event["kind"] == "notice"]
    assert any("A batch of 64 rows is larger than the data (5 rows)" in each for each in said)
    assert any("a single validation row" in each for each in said)
    assert events[-1]["data"]["steps"] == 3


def test_a_gradient_that_is_no_number_is_not_stepped_along_and_a_smaller_rate_goes_on(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = AnswerTrainer._clip_grad_norm

    def poisoned(self: AnswerTrainer, model: Any) -> Any:
        if self.state.global_step == 4 and self.args.learning_rate > 0.005:
            next(parameter for parameter in model.parameters() if parameter.grad is not None).grad[0] = float("nan")
        return clip(self, model)

    monkeypatch.setattr(AnswerTrainer, "_clip_grad_norm", poisoned)
    spec = write_run("gradient", train_content)
    code, events = run_engine("train", spec)
    assert code == 1
    failed = failure(events)
    assert (failed["code"], failed["step"], len(failed["rows"])) == ("loss_not_finite", 5, 8)
    assert "The gradient stopped being a number at step 5" in failed["message"] and "and 3 more" in failed["message"]
    for path in (spec.parent / "checkpoints").glob("*/model.safetensors"):
        assert all(bool(torch.isfinite(tensor).all()) for tensor in load_file(path).values())

    train_content["hyperparameters"]["learning_rate"] = 0.001
    write_run("gradient", train_content)
    code, events = run_engine("train", spec)
    assert code == 0
    assert events[0]["data"]["resumed_from"] == 4
    rates = {event["data"]["step"]: event["data"]["learning_rate"] for event in events if event["kind"] == "metric"}
    whole = write_run("whole", train_content)
    _, undisturbed = run_engine("train", whole)
    expected = {e["data"]["step"]: e["data"]["learning_rate"] for e in undisturbed if e["kind"] == "metric"}
    assert rates == {step: pytest.approx(expected[step]) for step in range(5, 13)}


def test_a_disk_that_is_full_when_a_checkpoint_is_written_keeps_the_run(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    train_content["hyperparameters"] |= {"n_epochs": 1, "save_steps": 3}
    whole = write_run("whole", train_content)
    assert run_engine("train", whole)[0] == 0
    sizes = {path.name: path.stat().st_size for path in (whole.parent / "checkpoints" / "checkpoint-3").iterdir()}
    room = (sizes["model.safetensors"] + sizes["optimizer.pt"]) // 2  # the weights still fit, the optimiser does not
    spec = write_run("full", train_content)
    engine = subprocess.run(
        [sys.executable, "-m", "training_app.engine", "train", str(spec)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=400,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    events = [json.loads(line) for line in engine.stdout.splitlines()]
    assert engine.returncode == 1
    assert failure(events)["code"] == "checkpoint_failed"
    assert "The checkpoint of step 3 could not be written" in failure(events)["message"]
    assert not list((spec.parent / "checkpoints").iterdir())

    code, _ = run_engine("train", spec)
    assert code == 0
    weights = [load_file(run.parent / "model" / "model.safetensors") for run in (whole, spec)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_run_that_outgrew_its_memory_goes_on_from_its_checkpoint_with_fewer_rows_at_a_time(
    train_content: dict[str, Any],
    still_model: Path,
    write_run: Callable[..., Path],
    run_engine: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The allocation is a real one, and larger than any address space."""
    train_content["base_model"]["path"] = str(still_model)
    train_content["hyperparameters"] |= {"precision": "float32"}
    _, undisturbed = run_engine("train", write_run("undisturbed", train_content))
    step = AnswerTrainer.training_step

    def hungry(self: AnswerTrainer, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        if self.state.global_step == 5 and len(inputs["labels"]) > 2:
            torch.empty(1 << 48, dtype=torch.uint8)
        return step(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(AnswerTrainer, "training_step", hungry)
    spec = write_run("hungry", train_content)
    code, before = run_engine("train", spec)
    assert (code, before[-1]["kind"]) == (4, "out_of_memory")

    train_content["hyperparameters"]["micro_batch_size"] = 2
    write_run("hungry", train_content)
    code, after = run_engine("train", spec)
    assert (code, after[0]["data"]["resumed_from"]) == (0, 4)
    losses = {each["step"]: each["loss"] for each in [*metrics_of(before), *metrics_of(after)]}
    expected = {each["step"]: each["loss"] for each in metrics_of(undisturbed)}
    assert losses == {number: pytest.approx(loss, rel=1e-3) for number, loss in expected.items()}
