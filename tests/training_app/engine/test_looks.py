"""Looking inside a run: its first batch, its sample answers, its hardest rows. None of it changes what it learns."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from training_app.engine import sampling, train
from training_app.engine.data import read_rows
from training_app.engine.looks import pieces
from training_app.engine.sampling import questions_of

Engine = Callable[..., tuple[int, list[dict[str, Any]]]]


def look(spec: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((spec.parent / "looks" / name).read_text())
    return found


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_run_leaves_its_first_batch_its_answers_and_its_hardest_rows(
    method: str, train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Engine
) -> None:
    spec = write_run("seen", {**train_content, "method": method})
    code, events = run_engine("train", spec)
    assert code == 0
    batch = look(spec, "first_batch.json")
    assert batch["rows_in_batch"] == len(batch["rows"]) == 4
    assert batch["width"] == max(row["tokens"] for row in batch["rows"])
    for row in batch["rows"]:
        text = "".join(piece for piece, _ in row["pieces"])
        learned = "".join(piece for piece, is_learned in row["pieces"] if is_learned)
        assert text.startswith("<|user|>What is ") and learned.startswith("It is ") and learned.endswith("<|end|>")

    sampled = [event["data"] for event in events if event["kind"] == "sample"]
    assert sampled and set(sampled[0]) == {"step", "path"}, "no text of a row in the events"
    answers = look(spec, f"sample-{sampled[0]['step']}.json")["answers"]
    assert [each["place"] for each in answers] == [1, 4, 6]

    hardest, finished = look(spec, "hardest_rows.json"), events[-1]["data"]
    assert (hardest["step"], hardest["measured"]) == (finished["best_step"], 8)
    assert hardest["mean_loss"] == pytest.approx(finished["best_loss"], rel=0.02)
    losses = [row["loss"] for row in hardest["rows"]]
    assert losses == sorted(losses, reverse=True) and {row["place"] for row in hardest["rows"]} == set(range(8))


def test_a_run_with_and_without_samples_ends_with_the_same_weights(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "SHARE", 1e9)
    with_samples = write_run("with", train_content)
    _, events = run_engine("train", with_samples)
    assert len([event for event in events if event["kind"] == "sample"]) == 4
    monkeypatch.setattr(sampling, "QUESTIONS", 0)
    without = write_run("without", train_content)
    _, events = run_engine("train", without)
    assert not [event for event in events if event["kind"] == "sample"]
    weights = [(spec.parent / "model" / "model.safetensors").read_bytes() for spec in (with_samples, without)]
    assert weights[0] == weights[1]


def test_samples_keep_to_their_share_of_the_time(
    train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "SHARE", 0.0)
    _, events = run_engine("train", write_run("once", train_content))
    assert len([event for event in events if event["kind"] == "sample"]) == 1


def test_questions_come_from_all_over_the_split_and_skip_rows_without_an_answer(speaker, make_split) -> None:
    rows = [[("user", f"Q{number}?"), ("assistant", "A.")] for number in range(9)]
    rows[4] = [("user", "Nobody answers.")]
    found = questions_of(speaker, read_rows(make_split("asked", rows)))
    assert [(each.place, each.prompt) for each in found] == [
        (1, "<|user|>Q1?<|end|><|assistant|>"),
        (7, "<|user|>Q7?<|end|><|assistant|>"),
    ]
    assert questions_of(speaker, []) == []


def test_tokens_that_are_parts_of_one_character_are_one_piece(speaker) -> None:
    ids = speaker.tokenizer("aé✓", add_special_tokens=False)["input_ids"]
    assert len(ids) == 6
    assert pieces(speaker.tokenizer, ids, [-100, 1, 1, -100, -100, 5]) == [["a", False], ["é", True], ["✓", True]]


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), "there was not enough memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
    ],
    ids=["memory", "disk"],
)
def test_trouble_with_what_people_look_at_ends_no_run_and_changes_no_weight(
    trouble: Exception, said: str, train_content: dict[str, Any], write_run: Callable[..., Path], run_engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sound = write_run("sound", train_content)
    assert run_engine("train", sound)[0] == 0

    def fail(*_args: Any, **_named: Any) -> None:
        raise trouble

    monkeypatch.setattr(train, "write_first_batch", fail)
    monkeypatch.setattr(train, "write_hardest", fail)
    monkeypatch.setattr(sampling, "continue_texts", fail)
    monkeypatch.setattr(sampling, "SHARE", 1e9)
    troubled = write_run("troubled", train_content)
    code, events = run_engine("train", troubled)
    assert code == 0 and events[-1]["kind"] == "finished"
    notices = [event["data"]["message"] for event in events if event["kind"] == "notice"]
    assert len(notices) == 1 + 4 + 1 and all(said in each for each in notices)
    kinds = [event["kind"] for event in events]
    assert kinds.index("saved") < len(kinds) - 1 - kinds[::-1].index("notice"), "the model was safe before the last"
    weights = [(spec.parent / "model" / "model.safetensors").read_bytes() for spec in (sound, troubled)]
    assert weights[0] == weights[1]
