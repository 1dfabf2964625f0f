"""What single hyperparameters do, on the tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from training_app.engine import trainer
from training_app.engine.device import plan_training
from training_app.engine.losses import answer_loss
from training_app.engine.spec import parse_train
from training_app.engine.trainer import AnswerTrainer

Run = Callable[..., tuple[int, list[dict[str, Any]]]]


def of_kind(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in events if event["kind"] == kind]


def test_steps_take_the_place_of_epochs(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    train_content["hyperparameters"] |= {"max_steps": 8, "n_epochs": 50}
    code, events = run_engine("train", write_run("steps", train_content))
    assert code == 0
    plan = of_kind(events, "plan")[0]
    assert (plan["steps"], plan["epochs"]) == (8, round(8 / 6, 2))
    assert events[-1]["data"]["steps"] == 8


@pytest.mark.parametrize(
    ("scheduler", "falls"),
    [
        ("cosine", [1.0, 0.5, 0.0]),
        ("linear", [1.0, 0.5, 0.0]),
        ("constant", [1.0, 1.0, 1.0]),
        ("polynomial", [1.0, 0.25, 0.0]),
        ("cosine_with_min_lr", [1.0, 0.55, 0.1]),
    ],
)
def test_every_schedule_falls_as_it_says(
    scheduler: str,
    falls: list[float],
    train_content: dict[str, Any],
    write_run: Callable[..., Path],
    run_engine: Run,
) -> None:
    parameters = train_content["hyperparameters"]
    parameters |= {"scheduler": scheduler, "warmup_ratio": 0.0, "max_steps": 4, "eval_steps": 4, "save_steps": 4}
    code, events = run_engine("train", write_run(scheduler, train_content))
    assert code == 0
    saved = sorted((Path(train_content["data"]["train"]).parent / scheduler / "checkpoints").iterdir())[-1]
    last = torch.load(saved / "scheduler.pt", weights_only=True)["_last_lr"][0]
    rates = [metric["learning_rate"] for metric in of_kind(events, "metric")]
    assert [rates[0] / 0.01, rates[2] / 0.01, last / 0.01] == pytest.approx(falls, abs=1e-6)


def test_inverse_square_root_falls_slowly_without_an_end(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    train_content["hyperparameters"] |= {"scheduler": "inverse_sqrt", "warmup_ratio": 0.25, "max_steps": 8}
    code, events = run_engine("train", write_run("slow", train_content))
    assert code == 0
    rates = [metric["learning_rate"] for metric in of_kind(events, "metric")]
    assert max(rates) == rates[2] and rates[2:] == sorted(rates[2:], reverse=True) and rates[-1] > 0.004


def test_smoothing_spreads_a_share_of_every_answer_token() -> None:
    generator = torch.Generator().manual_seed(3)
    logits, targets = torch.randn(2, 3, 5, generator=generator), torch.tensor([[1, -100, 4], [-100, 2, -100]])
    logs = logits.log_softmax(-1)
    expected = 0.0
    for row, at in ((0, 0), (0, 2), (1, 1)):
        expected -= 0.9 * float(logs[row, at, targets[row, at]]) + 0.1 * float(logs[row, at].mean())
    assert float(answer_loss(logits, targets, smoothing=0.1)) == pytest.approx(expected / 3, abs=1e-6)


def test_smoothing_raises_the_training_loss_and_leaves_validation_alone(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    train_content["hyperparameters"] |= {"learning_rate": 1e-8, "max_steps": 3}
    _, plain = run_engine("train", write_run("plain", train_content))
    train_content["hyperparameters"]["label_smoothing"] = 0.3
    _, smooth = run_engine("train", write_run("smooth", train_content))
    losses = [of_kind(events, "metric")[0]["loss"] for events in (plain, smooth)]
    assert losses[1] != pytest.approx(losses[0], rel=1e-4)
    validations = [of_kind(events, "evaluation")[0]["loss"] for events in (plain, smooth)]
    assert validations[1] == pytest.approx(validations[0], rel=1e-4)


@pytest.mark.parametrize(("targets", "layer"), [("attention", "self_attn"), ("mlp", "mlp")])
def test_an_adapter_learns_in_the_chosen_layers_alone(
    targets: str, layer: str, train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    train_content["method"] = "lora"
    train_content["hyperparameters"] |= {"max_steps": 2}
    train_content["hyperparameters"]["lora"]["targets"] = targets
    spec = write_run(targets, train_content)
    assert run_engine("train", spec)[0] == 0
    names = load_file(spec.parent / "model" / "adapter_model.safetensors")
    assert names and all(f".{layer}." in name for name in names)
    config = json.loads((spec.parent / "model" / "adapter_config.json").read_text())
    assert all("." not in name for name in config["target_modules"])


def test_checkpointing_gradients_changes_no_loss(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    curves = []
    is_on: list[bool] = []
    step = AnswerTrainer.training_step

    def watched(self: AnswerTrainer, model: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        is_on.append(model.is_gradient_checkpointing)
        return step(self, model, *args, **kwargs)

    monkeypatch.setattr(AnswerTrainer, "training_step", watched)
    for choice in ("off", "on"):
        train_content["hyperparameters"] |= {"gradient_checkpointing": choice, "precision": "float32", "max_steps": 4}
        code, events = run_engine("train", write_run(f"checkpointing-{choice}", train_content))
        assert code == 0
        curves.append([metric["loss"] for metric in of_kind(events, "metric")])
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)
    assert is_on == [False] * 8 + [True] * 8


@pytest.mark.parametrize("weights", [None, {"label-0": 2.0, "label-1": 0.5}], ids=["smoothing", "weights"])
def test_where_few_logits_fit_a_step_has_the_same_loss(
    weights: dict[str, float] | None,
    train_content: dict[str, Any],
    still_model: Path,
    write_run: Callable[..., Path],
    run_engine: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train_content["base_model"]["path"] = str(still_model)
    train_content["hyperparameters"] |= {"precision": "float32", "max_steps": 4}
    if weights is None:
        train_content["hyperparameters"] |= {"label_smoothing": 0.1}
    else:
        train_content["data"] |= {"class_weights": weights}
        rows = pq.read_table(train_content["data"]["train"])
        labels = pa.array([f"label-{row % 2}" for row in range(rows.num_rows)], pa.string())
        place = rows.schema.get_field_index("label")
        pq.write_table(rows.set_column(place, "label", labels), train_content["data"]["train"])
    curves = []
    for most in (trainer.MOST_LOGITS, 3 * 261):
        monkeypatch.setattr(trainer, "MOST_LOGITS", most)
        code, events = run_engine("train", write_run(f"most-{most}", train_content))
        assert code == 0
        curves.append([metric["loss"] for metric in of_kind(events, "metric")])
        curves[-1] += [each["loss"] for each in of_kind(events, "evaluation")]
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)


@pytest.mark.parametrize(("precision", "autocast"), [("float32", False), ("bfloat16", True)])
def test_the_precision_that_was_asked_for_is_used(precision: str, autocast: bool) -> None:
    plan = plan_training(torch.device("cpu"), method="full", parameters=1, precision=precision)
    assert (plan.autocast, plan.weights, plan.gradient_checkpointing) == (autocast, torch.float32, False)


def test_gradients_are_checkpointed_when_asked_and_for_large_models_on_gpus() -> None:
    def saves(device: str, choice: str, parameters: int) -> bool:
        plan = plan_training(
            torch.device(device), method="full", parameters=parameters, precision="float32", checkpointing=choice
        )
        return plan.gradient_checkpointing

    assert [saves("cpu", "on", 1), saves("cpu", "auto", 2 * 10**9), saves("cuda", "auto", 2 * 10**9)] == [
        True, False, True,
    ]  # fmt: skip
    assert not saves("cuda", "off", 2 * 10**9)


def test_early_stopping_may_look_at_the_share_of_tokens_guessed_right(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = AnswerTrainer._judge
    rights = iter([50, 50, 90, 90, 20, 20])

    def scripted(self: AnswerTrainer, *args: Any) -> Any:
        score = judge(self, *args)
        return type(score)(loss=score.loss, right=next(rights), count=100)

    monkeypatch.setattr(AnswerTrainer, "_judge", scripted)
    train_content["hyperparameters"] |= {"early_stopping_metric": "accuracy", "early_stopping_patience": 1}
    code, events = run_engine("train", write_run("accuracy", train_content))
    assert code == 0
    assert [round(each["accuracy"], 2) for each in of_kind(events, "evaluation")] == [0.5, 0.9, 0.2]
    finished = events[-1]["data"]
    assert (finished["reason"], finished["best_step"], finished["steps"]) == ("early_stopping", 6, 9)


@pytest.mark.parametrize("batch", [6, 4])
def test_fewer_rows_at_a_time_leave_every_step_its_rows_and_its_loss(
    batch: int,
    train_content: dict[str, Any],
    still_model: Path,
    write_run: Callable[..., Path],
    run_engine: Run,
) -> None:
    train_content["base_model"]["path"] = str(still_model)
    train_content["hyperparameters"] |= {"precision": "float32", "batch_size": batch, "n_epochs": 1}
    curves = []
    for micro in (batch, batch // 2, 1):
        train_content["hyperparameters"]["micro_batch_size"] = micro
        code, events = run_engine("train", write_run(f"micro-{micro}", train_content))
        assert code == 0
        curves.append([(metric["step"], metric["loss"]) for metric in of_kind(events, "metric")])
    for curve in curves[1:]:
        assert [step for step, _ in curve] == [step for step, _ in curves[0]]
        assert [loss for _, loss in curve] == pytest.approx([loss for _, loss in curves[0]], rel=2e-4)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"micro_batch_size": 3}, "allowed is a divisor of 4"),
        ({"learning_rate": 0.0}, "allowed is a number above 0 to 1"),
        ({"label_smoothing": 0.1, "objective": "dpo"}, "with preference pairs it must be 0"),
        ({"scheduler": "cosin"}, '"cosine" or "linear"'),
        ({"max_step": 3}, "is not a field the engine knows"),
    ],
)
def test_a_spec_edited_by_hand_is_told_the_field_and_what_is_allowed(
    change: dict[str, Any], sentence: str, train_content: dict[str, Any], write_run: Callable[..., Path],
    run_engine: Run,
) -> None:  # fmt: skip
    train_content["hyperparameters"] |= change
    code, events = run_engine("train", write_run("edited", train_content))
    assert code == 1
    assert sentence in events[-1]["data"]["message"] and next(iter(change)) in events[-1]["data"]["message"]
    assert [event["kind"] for event in events] == ["failed"]


def test_settings_that_came_later_may_be_left_out(train_content: dict[str, Any], tmp_path: Path) -> None:
    parameters = parse_train(train_content, tmp_path).hyperparameters
    assert (parameters.micro_batch_size, parameters.max_steps, parameters.objective) == (4, 0, "supervised")


@pytest.mark.parametrize(
    ("change", "word"), [({"method": "qlora"}, "QLoRA"), ({"optimizer": "adamw_8bit"}, "8-bit AdamW")]
)
def test_what_needs_a_gpu_is_refused_on_a_cpu_before_anything_is_loaded(
    change: dict[str, Any], word: str, train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    train_content |= {name: value for name, value in change.items() if name == "method"}
    train_content["hyperparameters"] |= {name: value for name, value in change.items() if name != "method"}
    train_content["base_model"]["path"] = "not looked at"
    code, events = run_engine("train", write_run("gpu", train_content))
    assert code == 1
    assert events[-1]["data"]["code"] == "no_gpu"
    assert word in events[-1]["data"]["message"] and "on a GPU only" in events[-1]["data"]["message"]
