"""A run looked over before it starts: what its tokenizer and template make of the rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

UNSTOPPED = (
    "{% for m in messages %}<|{{ m['role'] }}|>{% generation %}{{ m['content'] }}{% endgeneration %}<|end|>{% endfor %}"
)


@pytest.fixture
def inspect(train_content, write_run, run_engine) -> Callable[..., dict[str, Any]]:
    def look(**changes: Any) -> dict[str, Any]:
        spec = write_run("looked", {**train_content, "kind": "inspect", **changes})
        code, events = run_engine("inspect", spec)
        assert code == 0 and events[-1]["kind"] == "finished"
        found: dict[str, Any] = json.loads((spec.parent / "inspection.json").read_text())
        return found

    return look


def chat(question: str, answer: str) -> list[tuple[str, str]]:
    return [("user", question), ("assistant", answer)]


def test_it_says_how_long_rows_are_and_what_they_teach(inspect, train_content) -> None:
    found = inspect()
    assert found["problem"] is None
    assert found["template"] == {"is_own": True, "has_marks": True, "stop_tokens": ["<|end|>"]}
    assert (found["context"], found["limit"], found["dtype"]) == (256, 128, "float32")
    train = found["train"]
    assert (train["rows"], train["cut"], train["without_answer"], train["lost_answer"]) == (46, 0, 0, 0)
    assert train["median"] <= train["p95"] <= train["longest"] < 128
    assert found["validation"]["rows"] == 8
    assert found["memory"]["total"] > found["parameters"] > 0


def test_rows_that_lose_their_end_or_their_answer_are_counted_apart(inspect, train_content, make_split) -> None:
    rows = [chat("Why?", "So."), chat("Why?", "So " * 60), chat("Why " * 60, "So."), [("user", "Nobody answers.")]]
    data = {"train": str(make_split("mixed", rows)), "validation": None}
    found = inspect(data=data)
    train = found["train"]
    assert (train["rows"], train["cut"], train["without_answer"], train["lost_answer"]) == (4, 2, 1, 1)
    assert train["longest"] > 128 and found["validation"] is None


def test_answers_that_are_all_alike_are_seen(inspect, make_split) -> None:
    alike = [chat(f"What is {n}?", " Yes." if n % 4 else "No.") for n in range(20)]
    found = inspect(data={"train": str(make_split("alike", alike)), "validation": None})
    assert found["answers"] == {"count": 20, "different": 2, "commonest_share": 0.75}


def test_a_template_that_never_ends_an_answer_is_a_finding_and_no_failure(inspect, model_folder) -> None:
    folder: Path = model_folder(template=UNSTOPPED)
    found = inspect(base_model={"name": "endless", "path": str(folder)})
    assert found["problem"]["code"] == "stop_token_unlearned" and "row 1" in found["problem"]["message"]


def test_a_tokenizer_of_another_model_is_a_finding(inspect, model_folder) -> None:
    folder: Path = model_folder()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": 40}))
    found = inspect(base_model={"name": "mixed", "path": str(folder)})
    assert found["problem"]["code"] == "tokenizer_unfit" and "only 40" in found["problem"]["message"]


def test_a_model_without_a_template_is_said_to_get_the_studios(inspect, model_folder) -> None:
    found = inspect(base_model={"name": "bare", "path": str(model_folder(template=None))})
    assert found["problem"] is None and found["template"]["is_own"] is False


def test_a_spec_of_another_kind_is_refused(train_content, write_run, run_engine) -> None:
    code, events = run_engine("inspect", write_run("wrong", train_content))
    assert code == 1 and "spec.kind" in events[-1]["data"]["message"]


def test_a_model_that_does_not_write_on_from_a_text_is_a_finding(inspect, model_folder) -> None:
    folder: Path = model_folder()
    small = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 1, "num_heads": 4, "vocab_size": 261}
    (folder / "config.json").write_text(json.dumps({"model_type": "t5", "architectures": ["T5Model"], **small}))
    found = inspect(base_model={"name": "t5", "path": str(folder)})
    assert found["problem"]["code"] == "model_unfit" and "(t5)" in found["problem"]["message"]
