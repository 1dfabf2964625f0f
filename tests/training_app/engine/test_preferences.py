"""Learning from pairs of answers: the loss, the base model's part in it, and a run from end to end."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch.nn.functional import logsigmoid
from transformers import AutoModelForCausalLM, LlamaForCausalLM

from training_app.engine import assembling, perplexity, trainer
from training_app.engine.data import build_pairs, read_rows
from training_app.engine.device import plan_training
from training_app.engine.losses import answer_log_probabilities, preference_loss
from training_app.engine.model import Speaker, load_speaker
from training_app.engine.preferences import PairTrainer, base_log_probabilities
from training_app.engine.scores import Scored
from training_app.engine.spec import ModelFolder
from training_app.engine.stopping import StopRequest

Run = Callable[..., tuple[int, list[dict[str, Any]]]]
MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])


def of_kind(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in events if event["kind"] == kind]


def write_pairs(path: Path, rows: list[list[tuple[str, str]]]) -> Path:
    table = {
        "row_id": pa.array(range(len(rows)), pa.int64()),
        "file": pa.array(["pairs.jsonl"] * len(rows)),
        "row": pa.array(range(len(rows)), pa.int64()),
        "messages": pa.array(
            [[{"role": role, "content": content} for role, content in row] for row in rows], pa.list_(MESSAGE)
        ),
        "label": pa.array([None] * len(rows), pa.string()),
    }
    pq.write_table(pa.table(table), path)
    return path


def preferring_short(count: int) -> list[list[tuple[str, str]]]:
    """People like “ok” and dislike “no, no”."""
    return [
        [("user", f"Please do {index}" + "!" * (index % 4)), ("assistant", "ok"), ("rejected", "no, no")]
        for index in range(count)
    ]


@pytest.fixture
def pair_content(train_content: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """A run on pairs: 12 steps over two epochs."""
    train_content["data"] = {
        "train": str(write_pairs(tmp_path / "pairs.parquet", preferring_short(46))),
        "validation": str(write_pairs(tmp_path / "held.parquet", preferring_short(8))),
    }
    train_content["hyperparameters"] |= {"objective": "dpo", "learning_rate": 0.002}
    return train_content


def test_the_loss_is_that_of_the_paper_and_a_model_that_has_not_moved_has_no_margin() -> None:
    preferred, other = torch.tensor([-3.0, -7.0]), torch.tensor([-4.0, -5.0])
    base_preferred, base_other = torch.tensor([-3.5, -7.0]), torch.tensor([-3.0, -5.0])
    losses, margins = preference_loss(preferred, other, base_preferred, base_other, beta=0.5)
    assert margins.tolist() == pytest.approx([0.5 * (0.5 - -1.0), 0.0])
    assert losses.tolist() == pytest.approx((-logsigmoid(margins)).tolist())
    assert losses[1] == pytest.approx(0.6931, abs=1e-4)


def test_the_likelihood_of_an_answer_is_the_sum_over_its_tokens_to_the_stop(speaker: Speaker, tmp_path: Path) -> None:
    rows = [[("user", "a"), ("assistant", "first"), ("user", "b"), ("assistant", "yes"), ("rejected", "never")]]
    path = write_pairs(tmp_path / "one.parquet", rows)
    (pair,) = build_pairs(read_rows(path), speaker.tokenizer, speaker.stop_tokens, max_length=128).items
    # The earlier answer is the same on both sides and stays out of the loss.
    assert (pair.preferred.learned, pair.other.learned) == (len("yes") + 1, len("never") + 1)
    plan = plan_training(torch.device("cpu"), method="full", parameters=1, precision="float32")
    ((preferred, other),) = base_log_probabilities(speaker, [pair], plan=plan, rows=2, stop=StopRequest())
    for example, found in ((pair.preferred, preferred), (pair.other, other)):
        ids = torch.tensor([example.input_ids])
        with torch.inference_mode():
            logs = speaker.model(input_ids=ids).logits.log_softmax(-1)
        expected = sum(
            float(logs[0, at - 1, ids[0, at]]) for at, label in enumerate(example.labels) if at and label != -100
        )
        assert found == pytest.approx(expected, abs=1e-3)


def test_padding_and_ignored_positions_count_nothing() -> None:
    logits = torch.randn(1, 4, 6, generator=torch.Generator().manual_seed(1))
    targets = torch.tensor([[-100, 2, 5, -100]])
    logs = logits.log_softmax(-1)
    assert float(answer_log_probabilities(logits, targets)) == pytest.approx(float(logs[0, 1, 2] + logs[0, 2, 5]))


def test_our_loss_equals_trls(speaker: Speaker, tmp_path: Path, pair_content: dict[str, Any]) -> None:
    """On one batch, by TRL's own DPOTrainer with the same reference model and beta."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    rows = read_rows(Path(pair_content["data"]["validation"]))
    pairs = build_pairs(rows, speaker.tokenizer, speaker.stop_tokens, max_length=128).items
    dataset = Dataset.from_list(
        [
            {
                "prompt": row.messages[:-1],
                "chosen": row.messages[-1:],
                "rejected": [{"role": "assistant", "content": row.rejected}],
            }
            for row in rows
        ]
    )
    moved = AutoModelForCausalLM.from_pretrained(speaker.model.config._name_or_path).eval()
    with torch.no_grad():
        for parameter in moved.parameters():
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)))
    config = DPOConfig(
        output_dir=str(tmp_path / "trl"), beta=0.3, per_device_train_batch_size=8, use_cpu=True, bf16=False,
        report_to=[], disable_dropout=True, max_length=128,
    )  # fmt: skip
    trl = DPOTrainer(
        model=moved, ref_model=speaker.model, args=config, train_dataset=dataset, processing_class=speaker.tokenizer
    )
    batch = trl.data_collator([trl.train_dataset[index] for index in range(len(rows))])
    moved.eval()
    with torch.no_grad():
        theirs = float(trl.compute_loss(moved, batch))
    plan = plan_training(torch.device("cpu"), method="full", parameters=1, precision="float32")
    ours, base = (
        torch.tensor(
            base_log_probabilities(replace(speaker, model=model), pairs, plan=plan, rows=8, stop=StopRequest())
        )
        for model in (moved, speaker.model)
    )
    losses, _ = preference_loss(ours[:, 0], ours[:, 1], base[:, 0], base[:, 1], beta=0.3)
    assert float(losses.mean()) == pytest.approx(theirs, abs=1e-4)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_run_learns_to_prefer_and_starts_from_no_preference(
    method: str, pair_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    pair_content |= {"method": method}
    pair_content["hyperparameters"] |= {"learning_rate": 0.005, "precision": "float32"}
    spec = write_run(method, pair_content)
    code, events = run_engine("train", spec)
    assert code == 0
    losses = [metric["loss"] for metric in of_kind(events, "metric")]
    assert losses[0] == pytest.approx(0.693, abs=0.05)  # attention dropout is on
    evaluations = of_kind(events, "evaluation")
    assert evaluations[-1]["loss"] < 0.6 and evaluations[-1]["accuracy"] == 1.0
    assert "direct preference optimisation" in (spec.parent / "model" / "README.md").read_text()


@pytest.mark.parametrize("method", ["full", "lora"])
def test_what_learned_from_answers_by_lora_goes_on_with_pairs_and_is_kept_whole(
    method: str,
    tiny: Path,
    pair_content: dict[str, Any],
    tmp_path: Path,
    write_run: Callable[..., Path],
    run_engine: Run,
) -> None:
    wished = {"objective": "supervised", "learning_rate": 0.02, "precision": "float32", "max_steps": 6}
    answers = {**pair_content, "method": "lora", "hyperparameters": pair_content["hyperparameters"] | wished}
    first = write_run("answers", answers)
    code, events = run_engine("train", first)
    assert code == 0
    learnt = min(each["loss"] for each in of_kind(events, "evaluation"))
    start = {"name": "sft", "path": str(first.parent / "model"), "base_path": str(tiny)}
    wished = {"learning_rate": 0.005, "precision": "float32"}
    content = {**pair_content, "method": method, "base_model": start}
    content["hyperparameters"] = pair_content["hyperparameters"] | wished
    runs = write_run("whole", content), write_run("stopped", content)
    code, events = run_engine("train", runs[0])
    assert code == 0
    assert of_kind(events, "metric")[0]["loss"] == pytest.approx(0.693, abs=0.05), "its reference is where it starts"
    assert run_engine("train", runs[1], stop_at=("metric", 6))[0] == 3
    assert run_engine("train", runs[1])[0] == 0
    made = [spec.parent / "model" for spec in runs]
    assert not (made[0] / "adapter_config.json").exists()
    digests = [hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest() for folder in made]
    assert digests[0] == digests[1]

    before, after = (
        load_speaker(folder, dtype=torch.float32, device=torch.device("cpu")).model.state_dict()
        for folder in (ModelFolder("sft", first.parent / "model", tiny), ModelFolder("dpo", made[0]))
    )
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    beneath = {name for name in before if "proj" in name}
    assert moved == (set(before) if method == "full" else beneath), "beneath an adapter nothing else moves"

    judged = write_run("judged", {
        "v": 1, "kind": "evaluate", "job": "j", "attempt": 1, "device": "cpu", "threads": 1, "base_model": start,
        "tuned_model": {"name": "dpo", "path": str(made[0]), "base_path": None}, "objective": "dpo",
        "data": {"test": content["data"]["validation"]}, "max_rows": 8, "max_new_tokens": 8, "seed": 0,
    })  # fmt: skip
    assert run_engine("evaluate", judged)[0] == 0
    found = json.loads((judged.parent / "evaluation.json").read_text())
    assert found["base"]["perplexity"] == pytest.approx(math.exp(learnt), rel=1e-3), "what it started from is beside it"
    assert run_engine("inspect", write_run("looked", {**content, "kind": "inspect"}))[0] == 0
    assert json.loads((tmp_path / "looked" / "inspection.json").read_text())["problem"] is None


def test_in_four_bits_no_run_goes_on_from_an_adapter(
    pair_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    pair_content["base_model"] |= {"base_path": "/somewhere"}
    code, events = run_engine("train", write_run("bits", {**pair_content, "method": "qlora"}))
    assert code == 1 and "is an adapter, which is merged" in events[-1]["data"]["message"]


def test_a_step_with_fewer_pairs_at_a_time_has_the_same_loss(
    pair_content: dict[str, Any], still_model: Path, write_run: Callable[..., Path], run_engine: Run
) -> None:
    pair_content["base_model"]["path"] = str(still_model)
    pair_content["hyperparameters"] |= {"precision": "float32", "n_epochs": 1}
    curves = []
    for micro in (4, 1):
        pair_content["hyperparameters"]["micro_batch_size"] = micro
        code, events = run_engine("train", write_run(f"micro-{micro}", pair_content))
        assert code == 0
        curves.append([metric["loss"] for metric in of_kind(events, "metric")])
    assert curves[1] == pytest.approx(curves[0], rel=1e-3)


def test_where_few_logits_fit_pairs_have_the_same_loss_and_no_more_are_built(
    pair_content: dict[str, Any],
    still_model: Path,
    write_run: Callable[..., Path],
    run_engine: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`few` is less than one pair needs: its logits are built in tiles, and what the base model makes of it in parts."""
    pair_content["base_model"]["path"] = str(still_model)
    pair_content["hyperparameters"] |= {"precision": "float32", "max_steps": 4}
    few, curves, built = 3 * 261, [], []
    forward = LlamaForCausalLM.forward

    @functools.wraps(forward)
    def watched(self: Any, *args: Any, **named: Any) -> Any:
        output = forward(self, *args, **named)
        built.append(output.logits.numel())
        return output

    monkeypatch.setattr(LlamaForCausalLM, "forward", watched)
    for most in (trainer.MOST_LOGITS, few):
        monkeypatch.setattr(trainer, "MOST_LOGITS", most)
        monkeypatch.setattr(perplexity, "MOST_LOGITS", most)
        built.clear()
        code, events = run_engine("train", write_run(f"most-{most}", pair_content))
        assert code == 0
        curves.append([each["loss"] for kind in ("metric", "evaluation") for each in of_kind(events, kind)])
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)
    assert max(built) <= few


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_stopped_run_on_pairs_ends_with_the_same_weights(
    method: str, pair_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    pair_content |= {"method": method}
    whole, stopped = write_run("whole", pair_content), write_run("stopped", pair_content)
    assert run_engine("train", whole)[0] == 0
    for step in (4, 8):
        assert run_engine("train", stopped, stop_at=("metric", step))[0] == 3
    assert run_engine("train", stopped)[0] == 0
    name = "model.safetensors" if method == "full" else "adapter_model.safetensors"
    digests = [hashlib.sha256((spec.parent / "model" / name).read_bytes()).hexdigest() for spec in (whole, stopped)]
    assert digests[0] == digests[1]


def test_what_the_base_model_makes_of_pairs_is_worked_out_once_and_for_pairs_that_are_seen_alone(
    pair_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[int] = []

    def counted(speaker: Speaker, pairs: Any, **named: Any) -> list[tuple[float, float]]:
        looked_at.append(len(pairs))
        return base_log_probabilities(speaker, pairs, **named)

    monkeypatch.setattr(assembling, "base_log_probabilities", counted)
    spec = write_run("kept", pair_content)
    assert run_engine("train", spec, stop_at=("metric", 4))[0] == 3
    assert run_engine("train", spec)[0] == 0
    assert looked_at == [8, 46], "a start that goes on reads them"
    pair_content["hyperparameters"] |= {"max_steps": 1}
    code, events = run_engine("train", write_run("short", pair_content))
    assert code == 0 and looked_at[2:] == [8, 8], "one step of two batches of four"
    assert of_kind(events, "plan")[0]["reference_pairs"] == 8


def test_rows_without_a_second_answer_are_left_out_and_counted(
    pair_content: dict[str, Any], tmp_path: Path, write_run: Callable[..., Path], run_engine: Run
) -> None:
    odd = [[("user", "a"), ("assistant", "b")], [("user", "a"), ("assistant", "b"), ("rejected", "b")]]
    pair_content["data"]["train"] = str(write_pairs(tmp_path / "odd.parquet", [*preferring_short(9), *odd]))
    pair_content["hyperparameters"] |= {"max_steps": 1}
    code, events = run_engine("train", write_run("odd", pair_content))
    assert code == 0
    assert any(
        "2 training rows do not hold two different answers" in each["message"] for each in of_kind(events, "notice")
    )
    assert of_kind(events, "plan")[0]["train_rows"] == 9


def test_data_without_pairs_is_refused_with_what_to_do(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run
) -> None:
    train_content["hyperparameters"]["objective"] = "dpo"
    code, events = run_engine("train", write_run("nopairs", train_content))
    assert code == 1
    assert events[-1]["data"]["code"] == "nothing_to_learn"
    assert "a preferred and another answer" in events[-1]["data"]["fix"]


def test_the_other_answer_is_no_turn_for_whoever_learns_from_answers(
    pair_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(PairTrainer, "_preferences")
    pair_content["hyperparameters"] |= {"objective": "supervised", "max_steps": 2}
    spec = write_run("answers", pair_content)
    code, events = run_engine("train", spec)
    assert code == 0
    texts = [row.messages for row in read_rows(Path(json.loads(spec.read_text())["data"]["train"]))]
    assert all([turn["role"] for turn in messages] == ["user", "assistant"] for messages in texts)
    assert of_kind(events, "plan")[0]["learned_tokens"] == 46 * (len("ok") + 1)


def test_the_verdict_on_what_learned_from_pairs_is_which_answer_it_prefers(
    pair_content: dict[str, Any], tmp_path: Path, write_run: Callable[..., Path], run_engine: Run
) -> None:
    trained = write_run("learned", pair_content)
    assert run_engine("train", trained)[0] == 0
    alone = [[("user", "Please wait"), ("assistant", "ok")], [("user", "Hm?"), ("assistant", "ok"), ("rejected", "ok")]]
    test = write_pairs(tmp_path / "test.parquet", preferring_short(12) + alone)
    reversed_ = write_pairs(
        tmp_path / "reversed.parquet",
        [[row[0], ("assistant", row[2][1]), ("rejected", row[1][1])] for row in preferring_short(12)],
    )
    content = {
        "v": 1, "kind": "evaluate", "job": "j", "attempt": 1, "device": "cpu", "threads": 1,
        "base_model": pair_content["base_model"],
        "tuned_model": {"name": "t", "path": str(trained.parent / "model"), "base_path": None},
        "data": {"test": str(test)}, "max_rows": 100, "max_new_tokens": 8, "seed": 0, "objective": "dpo",
    }  # fmt: skip
    spec = write_run("judged", content)
    code, events = run_engine("evaluate", spec)
    assert code == 0 and events[-1]["kind"] == "finished"
    found = json.loads((spec.parent / "evaluation.json").read_text())
    assert found["headline"] == "preference" and found["tuned"]["preference"] == 1.0
    assert 0.0 <= found["base"]["preference"] <= 1.0 and found["intervals"]["preference"]["rows"] == 12
    assert "sum of log-probabilities" in found["signatures"]["preference"]
    last = of_kind(events, "progress")[-1]
    assert last["done"] == last["total"]

    other = write_run("other", {**content, "data": {"test": str(reversed_)}, "objective": "supervised"})
    assert run_engine("evaluate", other)[0] == 0
    found = json.loads((other.parent / "evaluation.json").read_text())
    assert found["headline"] != "preference" and found["tuned"]["preference"] == 0.0


def test_a_preference_counts_pairs_alone_and_equal_answers_half() -> None:
    scored = Scored()
    scored.take("preference", [1.0, 3.0, 2.0, 0.0], [2.0, 1.0, 2.0, 0.0])
    assert scored.scores == {"preference": 0.5}
    assert scored.rows == {"preference": [[1.0, 1.0], [0.0, 1.0], [0.5, 1.0], [0.0, 0.0]]}
    nothing = Scored()
    nothing.take("preference", [0.0], [0.0])
    assert nothing.scores == {"preference": None}
