"""A spec is complete and right, or it is refused with a sentence that names the field."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training_app.engine.errors import EngineError
from training_app.engine.spec import parse_evaluate, parse_safety, parse_train

RUN = Path("/runs/one")
COMMON = {"v": 1, "job": "ftjob-1", "attempt": 1, "device": "cpu", "threads": 1}
MODEL = {"name": "tiny", "path": "base"}


def refusal(content: dict[str, Any]) -> str:
    with pytest.raises(EngineError) as caught:
        parse_train(content, RUN)
    assert caught.value.code == "spec_invalid"
    assert caught.value.fix
    return caught.value.message


def test_a_complete_spec_is_read_with_paths_from_the_run_folder(train_content: dict[str, Any]) -> None:
    train_content["base_model"]["path"] = "base"
    spec = parse_train(train_content, RUN)
    assert spec.base_model.path == RUN / "base"
    assert spec.hyperparameters.lora is None
    assert spec.validation is not None


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("learning_rate", 0, "a number above 0 to 1"),
        ("learning_rate", "fast", "a number above 0 to 1"),
        ("learning_rate", float("nan"), "a number above 0 to 1"),
        ("batch_size", 2.5, "a whole number from 1 to 4096"),
        ("batch_size", True, "a whole number from 1 to 4096"),
        ("optimizer", "lion", '"adamw" or "adam" or "rmsprop" or "adafactor" or "sgd" or "adamw_8bit"'),
        ("precision", "half", '"auto" or "float32" or "bfloat16"'),
        ("warmup_ratio", 1.0, "a number from 0 to 0.9"),
    ],
)
def test_a_wrong_hyperparameter_is_named_with_what_is_allowed(
    field: str, value: object, allowed: str, train_content: dict[str, Any]
) -> None:
    train_content["hyperparameters"][field] = value
    message = refusal(train_content)
    assert message.startswith(f"spec.hyperparameters.{field} is ")
    assert message.endswith(f"allowed is {allowed}.")


def test_a_missing_field_is_named(train_content: dict[str, Any]) -> None:
    del train_content["hyperparameters"]["max_grad_norm"]
    assert refusal(train_content) == "spec.hyperparameters.max_grad_norm is missing."


def test_an_unknown_field_is_refused_with_the_known_ones(train_content: dict[str, Any]) -> None:
    train_content["data"]["test"] = "t.parquet"
    assert (
        refusal(train_content)
        == "spec.data.test is not a field the engine knows; allowed here: class_weights, train, train_share, validation."
    )


def test_an_adapter_needs_its_settings(train_content: dict[str, Any]) -> None:
    train_content["method"] = "lora"
    train_content["hyperparameters"]["lora"] = None
    assert refusal(train_content) == "spec.hyperparameters.lora is None; allowed is a JSON object."


def test_a_spec_of_another_kind_is_refused(train_content: dict[str, Any]) -> None:
    train_content["kind"] = "evaluate"
    assert refusal(train_content) == "spec.kind is 'evaluate'; allowed is \"train\"."


def test_an_evaluation_knows_an_adapter_by_its_base_path() -> None:
    content = COMMON | {
        "kind": "evaluate", "base_model": MODEL, "tuned_model": {"name": "t", "path": "model", "base_path": "base"},
        "data": {"test": "test.parquet"}, "max_rows": 10, "max_new_tokens": 8, "seed": 0,
    }  # fmt: skip
    spec = parse_evaluate(content, RUN)
    assert spec.tuned_model.base_path == RUN / "base"
    assert spec.base_model.base_path is None


def test_canaries_must_be_texts() -> None:
    content = COMMON | {
        "kind": "safety", "tuned_model": MODEL, "data": {"train": "t"}, "canaries": [7], "max_rows": 1, "seed": 0,
    }  # fmt: skip
    with pytest.raises(EngineError, match=r"spec\.canaries is \[7\]; allowed is a list of texts"):
        parse_safety(content, RUN)


@pytest.mark.parametrize("text", ["{", "[1]", "\xff"])
def test_a_broken_spec_file_ends_with_a_failed_event_and_exit_code_1(
    text: str,
    write_run: Callable[..., Path],
    run_engine: Callable[..., tuple[int, list[dict[str, Any]]]],
) -> None:
    spec = write_run("broken", {})
    spec.write_bytes(text.encode("latin-1"))
    code, events = run_engine("train", spec)
    assert code == 1
    assert [(event["kind"], event["data"]["code"]) for event in events] == [("failed", "spec_unreadable")]
    assert json.loads((spec.parent / "events.jsonl").read_text())["data"] == events[0]["data"]
