"""A training run: its events, its model folder, and how it ends when something is wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM
from trl import SFTTrainer

from training_app.engine.losses import answer_loss, answer_positions
from training_app.engine.trainer import AnswerTrainer

Run = Callable[..., tuple[int, list[dict[str, Any]]]]


def of_kind(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in events if event["kind"] == kind]


def test_a_full_fine_tune_tells_its_story_and_leaves_a_model_in_the_bases_format(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, model_folder: Callable[..., Path]
) -> None:
    base = model_folder(dtype=torch.bfloat16)
    train_content["base_model"]["path"] = str(base)
    spec = write_run("full", train_content)

    code, events = run_engine("train", spec)

    assert code == 0
    assert [event["kind"] for event in events[:2]] == ["started", "plan"]
    plan = of_kind(events, "plan")[0]
    assert (plan["steps"], plan["train_rows"], plan["validation_rows"]) == (12, 46, 8)
    assert 0 < plan["learned_tokens"] < plan["train_tokens"]
    assert plan["trainable_parameters"] == plan["total_parameters"]
    metrics = of_kind(events, "metric")
    assert [metric["step"] for metric in metrics] == list(range(1, 13))
    assert metrics[-1]["loss"] < metrics[0]["loss"]
    assert set(metrics[0]) == {"step", "epoch", "loss", "learning_rate", "grad_norm", "tokens_per_second"}
    evaluations = of_kind(events, "evaluation")
    assert [evaluation["step"] for evaluation in evaluations] == [3, 6, 9, 12]
    best = min(evaluations, key=lambda evaluation: evaluation["loss"])
    finished = events[-1]["data"]
    assert (finished["reason"], finished["best_step"], finished["best_loss"]) == (
        "completed", best["step"], best["loss"],
    )  # fmt: skip
    assert finished["trained_tokens"] == 2 * plan["train_tokens"]
    model = spec.parent / "model"
    assert {path.name for path in model.iterdir()} >= {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja",
        "generation_config.json", "spec.json", "README.md",
    }  # fmt: skip
    assert {tensor.dtype for tensor in load_file(model / "model.safetensors").values()} == {torch.bfloat16}
    assert "| training rows | 46 |" in (model / "README.md").read_text()
    assert not (spec.parent / "model.tmp").exists()


def test_the_kept_weights_are_the_best_ones(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    # A rate this high makes later steps worse than an earlier one.
    train_content["hyperparameters"] |= {"learning_rate": 0.5, "scheduler": "constant", "warmup_ratio": 0.0}
    train_content["hyperparameters"] |= {"optimizer": "rmsprop", "eval_steps": 1, "n_epochs": 4}
    spec = write_run("best", train_content)
    code, events = run_engine("train", spec)
    assert code == 0
    best = events[-1]["data"]["best_step"]
    assert best < events[-1]["data"]["steps"]
    kept = load_file(spec.parent / "model" / "model.safetensors")
    checkpoint = load_file(spec.parent / "checkpoints" / f"checkpoint-{best}" / "model.safetensors")
    assert all(torch.equal(kept[name], checkpoint[name]) for name in kept)


def test_an_adapter_is_saved_without_the_path_of_this_machine(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    spec = write_run("lora", train_content | {"method": "lora"})
    code, events = run_engine("train", spec)
    assert code == 0
    plan = of_kind(events, "plan")[0]
    assert plan["trainable_parameters"] < plan["total_parameters"]
    model = spec.parent / "model"
    assert {path.name for path in model.iterdir()} >= {
        "adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "chat_template.jinja", "spec.json",
        "README.md",
    }  # fmt: skip
    assert json.loads((model / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"


@pytest.mark.parametrize(
    ("optimizer", "rate"), [("adam", 0.005), ("rmsprop", 0.005), ("adafactor", 0.01), ("sgd", 0.3)]
)
def test_every_optimiser_learns(
    optimizer: str, rate: float, train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    train_content["hyperparameters"] |= {"optimizer": optimizer, "learning_rate": rate, "scheduler": "linear"}
    code, events = run_engine("train", write_run(optimizer, train_content))
    losses = [metric["loss"] for metric in of_kind(events, "metric")]
    assert code == 0
    assert losses[-1] < losses[0]


def test_without_validation_rows_there_is_a_notice_and_the_last_weights_are_kept(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, make_split: Callable[..., Path]
) -> None:
    train_content["data"]["validation"] = str(make_split("nothing", []))
    train_content["hyperparameters"]["early_stopping_patience"] = 1
    code, events = run_engine("train", write_run("novalidation", train_content))
    assert code == 0
    assert "no validation rows" in of_kind(events, "notice")[0]["message"]
    assert not of_kind(events, "evaluation")
    assert events[-1]["data"]["best_step"] is None
    assert events[-1]["data"]["steps"] == 12


def test_nothing_to_learn_is_a_failure_with_a_sentence(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, make_split: Callable[..., Path]
) -> None:
    train_content["data"]["train"] = str(make_split("questions", [[("user", "only a question")]]))
    code, events = run_engine("train", write_run("nothing", train_content))
    assert code == 1
    assert events[-1]["data"]["code"] == "nothing_to_learn"


def test_a_missing_base_model_is_a_failure_with_a_sentence(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, tmp_path: Path
) -> None:
    train_content["base_model"]["path"] = str(tmp_path / "gone")
    code, events = run_engine("train", write_run("nomodel", train_content))
    assert code == 1
    assert events[-1]["data"]["message"] == "There is no model folder gone."


def test_an_unforeseen_error_ends_with_a_failed_event_too(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, model_folder: Callable[..., Path]
) -> None:
    base = model_folder()
    (base / "tokenizer.json").write_text("{}")
    train_content["base_model"]["path"] = str(base)
    code, events = run_engine("train", write_run("unforeseen", train_content))
    assert code == 1
    assert events[-1]["kind"] == "failed"
    assert events[-1]["data"]["message"]


def test_a_stop_before_the_first_step_is_a_notice_and_exit_code_3(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    code, events = run_engine("train", write_run("stopped", train_content), stop_at=("started", None))
    assert code == 3
    assert events[-1]["data"]["message"] == "Stopped on request; nothing had to be saved."


def test_a_loss_that_is_no_number_ends_the_run_with_its_step(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(self: AnswerTrainer, *args: Any, **kwargs: Any) -> torch.Tensor:
        loss: torch.Tensor = SFTTrainer.compute_loss(self, *args, **kwargs)
        return loss * float("nan") if self.state.global_step == 4 else loss

    monkeypatch.setattr(AnswerTrainer, "compute_loss", poisoned)
    code, events = run_engine("train", write_run("nan", train_content))
    assert code == 1
    assert events[-1]["data"]["code"] == "loss_not_finite"
    assert "at step 5" in events[-1]["data"]["message"]
    rows = events[-1]["data"]["rows"]
    assert len(rows) == 4 and all(row.startswith("rows.csv, row ") for row in rows)
    assert rows[0] in events[-1]["data"]["message"] and events[-1]["data"]["step"] == 5


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_running_out_of_memory_is_an_outcome_of_its_own(
    error: Exception,
    train_content: dict[str, Any],
    write_run: Callable[..., Path],
    run_engine: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_args: Any, **_kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(AnswerTrainer, "training_step", full)
    code, events = run_engine("train", write_run("oom", train_content))
    assert code == 4
    assert events[-1]["kind"] == "out_of_memory"
    assert "batch size" in events[-1]["data"]["fix"]


def test_the_short_way_to_the_loss_equals_the_librarys(
    train_content: dict[str, Any],
    still_model: Path,
    write_run: Callable[..., Path],
    run_engine: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pairs: list[tuple[float, float]] = []
    short = AnswerTrainer.compute_loss

    def both(self: AnswerTrainer, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        with torch.no_grad():
            library = SFTTrainer.compute_loss(self, model, dict(inputs), *args, **kwargs)
        loss = short(self, model, inputs, *args, **kwargs)
        pairs.append((float(loss), float(library)))
        return loss

    monkeypatch.setattr(AnswerTrainer, "compute_loss", both)
    train_content["hyperparameters"] |= {"precision": "float32", "n_epochs": 1}
    train_content["base_model"]["path"] = str(still_model)
    assert run_engine("train", write_run("short", train_content))[0] == 0
    assert pairs
    assert all(ours == pytest.approx(library, abs=1e-5) for ours, library in pairs)


def test_answer_positions_are_those_before_an_answer_token_of_any_row() -> None:
    labels = torch.tensor([[-100, -100, 5, 6, -100], [-100, -100, -100, 7, -100]])
    assert answer_positions(labels).tolist() == [1, 2]


def test_the_validation_loss_is_the_mean_over_all_answer_tokens(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, make_split: Callable[..., Path]
) -> None:
    rows = [[("user", "a"), ("assistant", "b" * (1 + 9 * (index % 2)))] for index in range(7)]
    validation = make_split("uneven", rows)
    train_content["data"]["validation"] = str(validation)
    spec = write_run("weighted", train_content)
    code, events = run_engine("train", spec)
    assert code == 0
    step = events[-1]["data"]["best_step"]
    model = AutoModelForCausalLM.from_pretrained(spec.parent / "checkpoints" / f"checkpoint-{step}").eval()
    total, count = 0.0, 0
    for row in rows:
        answer = row[1][1]
        ids = torch.tensor([[3, *letters("a"), 1, 4, *letters(answer), 1]])
        with torch.inference_mode():
            logs = model(input_ids=ids).logits.log_softmax(-1)
        for position in range(4, ids.shape[1]):
            total -= float(logs[0, position - 1, ids[0, position]])
            count += 1
    # Validation runs in bfloat16 where that is fast.
    assert events[-1]["data"]["best_loss"] == pytest.approx(total / count, rel=2e-2)


def letters(text: str) -> list[int]:
    """Token ids of plain ASCII letters in the byte tokenizer: special tokens first, then the sorted byte alphabet."""
    from tokenizers import pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    return [5 + alphabet.index(letter) for letter in text]


def test_the_weighted_loss_is_the_weighted_sum_over_answer_tokens_by_their_number() -> None:
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 3, 5, generator=generator)
    targets, weights = torch.tensor([[1, -100, 4], [-100, 2, -100]]), torch.tensor([0.25, 3.0])
    expected = sum(
        float(weights[row]) * -math.log(float(logits[row, at].softmax(0)[targets[row, at]]))
        for row, at in ((0, 0), (0, 2), (1, 1))
    )
    assert float(answer_loss(logits, targets, weights)) == pytest.approx(expected / 3, abs=1e-6)
    assert float(answer_loss(logits, targets, weights, count=torch.tensor(12))) == pytest.approx(
        expected / 12, abs=1e-6
    )


def test_rows_count_by_the_weight_of_their_class_in_training_and_alike_in_validation(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = Path(train_content["data"]["train"])
    table = pq.read_table(train)
    labels = pa.array(["rare" if row % 8 == 0 else "common" for row in range(table.num_rows)])
    pq.write_table(table.set_column(table.column_names.index("label"), "label", labels), train)
    train_content["data"]["class_weights"] = {"rare": 3.0, "common": 0.5}
    ours, seen = AnswerTrainer.compute_loss, []

    def watched(self: AnswerTrainer, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        weights = inputs.get("weight")
        assert (weights is not None) == model.training
        given = dict(inputs)
        loss = ours(self, model, inputs, *args, **kwargs)
        if weights is not None:
            with torch.no_grad():
                logits = model(input_ids=given["input_ids"], attention_mask=given["attention_mask"]).logits[:, :-1]
            targets = given["labels"][:, 1:]
            each = cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="none").view_as(targets)
            formula = (weights[:, None] * each).sum() / kwargs["num_items_in_batch"]  # of all micro-batches of a step
            seen.append((float(loss), float(formula), set(weights.tolist())))
        return loss

    monkeypatch.setattr(AnswerTrainer, "compute_loss", watched)
    assert run_engine("train", write_run("weighted", train_content))[0] == 0
    assert all(loss == pytest.approx(formula, rel=1e-2) for loss, formula, _ in seen)  # logits are bfloat16
    assert set.union(*(weights for _, _, weights in seen)) == {3.0, 0.5}
