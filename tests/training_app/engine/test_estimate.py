"""A run's first steps tell what all of it will take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from training_app.engine import estimate
from training_app.engine.estimate import Step, fit
from training_app.estimates import judging, plan_of, project

PARTS = ("start", "step", "evaluation", "checkpoint", "finish")


@pytest.fixture
def tried(train_content, write_run, run_engine, monkeypatch):
    def take(**hyperparameters: Any) -> tuple[dict[str, Any], Any]:
        monkeypatch.setattr(estimate, "STEPS", 5)
        content = {**train_content, "kind": "estimate"}
        content["hyperparameters"] = {**content["hyperparameters"], **hyperparameters}
        spec = write_run("tried", content)
        code, events = run_engine("estimate", spec)
        assert code == 0, events[-1]
        found: dict[str, Any] = json.loads((spec.parent / "estimate.json").read_text())
        return found, spec.parent

    return take


@pytest.mark.parametrize("method", ["full", "lora"])
def test_real_steps_are_taken_and_timed(tried, train_content, method) -> None:
    train_content["method"] = method
    found, run = tried(n_epochs=9)
    assert found["steps_tried"] == 5
    assert all(found[f"{part}_seconds"] > 0 for part in PARTS)
    assert found["memory"]["total"] > found["memory_bytes"] > 100e6
    assert found["memory"]["free"] > found["memory_bytes"], "what the trial holds itself is free to the run"
    assert not (run / "model").exists()
    plan = json.loads((run / "trial" / "events.jsonl").read_text().splitlines()[1])["data"]
    assert found["tokens"] == plan["train_tokens"]
    judged = found["judging"]
    assert judged["answer_tokens"] == 64 and judged["label_rows"] == judged["label_seconds"] == 0
    assert all(judged[f"{part}_seconds"] > 0 for part in ("process", "load", "row", "prompt", "token"))


def test_what_judging_takes_is_its_parts_as_often_as_they_come() -> None:
    measured = {
        "process_seconds": 4.0, "load_seconds": 2.0, "row_seconds": 0.1, "prompt_seconds": 1.0, "token_seconds": 0.01,
        "label_seconds": 0.5, "answer_tokens": 100, "label_rows": 20,
    }  # fmt: skip
    one = 130 * 0.1 + 3 * (1 + 100 * 0.01) + 20 * 0.5
    assert judging(measured, test_rows=130) == pytest.approx(2 * 4 + 3 * 2 + 2 * one + 9 * 1 + 480 * 0.01)
    assert judging(measured, test_rows=9000) == judging(measured, test_rows=500), "more are not compared"
    assert judging({}, test_rows=130) == 0


def test_slow_steps_are_ended_by_the_clock_and_the_rest_is_worked_out(tried, monkeypatch) -> None:
    monkeypatch.setattr(estimate, "BUDGET_SECONDS", 0.0)
    monkeypatch.setattr(estimate, "FEWEST_STEPS", 3)
    found, run = tried(n_epochs=9)
    assert found["steps_tried"] == 4  # the step that was under way when time was up
    assert found["evaluation_seconds"] > 0 and found["finish_seconds"] == found["checkpoint_seconds"] > 0
    assert not (run / "trial" / "model").exists()


def test_every_step_takes_a_fixed_time_and_a_time_for_each_token() -> None:
    fixed, a_token = fit([Step(1.0 + 0.01 * tokens, tokens) for tokens in (10, 40, 100)])
    assert fixed == pytest.approx(1.0) and a_token == pytest.approx(0.01)
    assert fit([Step(2.0, 50)]) == (2.0, 0.0)
    falling = fit([Step(3.0, 10), Step(1.0, 30)])
    assert falling == (2.0, 0.0)


def test_the_whole_run_is_its_parts_as_often_as_they_come() -> None:
    settings = {"batch_size": 4, "gradient_accumulation_steps": 2, "n_epochs": 2, "eval_steps": 4, "save_steps": 4}
    plan = plan_of(rows=80, hyperparameters=settings, has_validation=True)
    assert (plan.steps, plan.evaluations, plan.checkpoints) == (20, 5, 5)
    assert plan_of(rows=80, hyperparameters=settings, has_validation=False).evaluations == 0
    by_steps = plan_of(rows=80, hyperparameters={**settings, "max_steps": 5}, has_validation=True)
    assert (by_steps.steps, by_steps.epochs, by_steps.evaluations) == (5, 0.5, 2)
    measured = {
        "start_seconds": 7.0, "step_seconds": 1.0, "evaluation_seconds": 2.0, "sample_seconds": 0.5,
        "checkpoint_seconds": 0.1, "finish_seconds": 3.0, "tokens": 1000, "memory_bytes": 5,
    }  # fmt: skip
    found = project(measured, plan=plan, price_micro_an_hour=3_600_000)
    assert found.seconds == pytest.approx(7 + 20 + 10 + 1.1 + 0.5 + 3)
    assert (found.tokens, found.memory_bytes) == (2000, 5)
    assert found.cost_micro == 41_600_000 // 1000
