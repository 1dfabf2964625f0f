"""What a run will take, from what a few real steps took. Pure sums; the steps are taken by the engine's `estimate`."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

# What changes the number of steps or where they lead, not what one step takes.
FREE = frozenset(
    {
        "learning_rate", "n_epochs", "weight_decay", "warmup_ratio", "scheduler", "seed", "early_stopping_patience",
        "early_stopping_min_delta", "early_stopping_metric", "eval_steps", "save_steps", "max_steps",
    }
)  # fmt: skip
# Bytes of optimiser state for each number that learns.
OPTIMIZER_BYTES = {"adamw": 8, "adam": 8, "rmsprop": 4, "sgd": 0, "adafactor": 1, "adamw_8bit": 2}
SAMPLING_SHARE = 0.03  # sample answers take no more of a run; see `looks` of the engine
LAYERS = 560  # matrices of the largest models in use: seven in each of 80 layers
ROUGH_RATES = {
    "cpu": 2e10,
    "cuda": 4e13,
}  # operations a second of a common machine of the kind, of which nobody measured one
USUAL_TOKENS = 80  # of a row that nobody has counted
TEST_ROWS = 500  # of a version are compared, at most
ANSWER_ROWS = 64  # that answer at once
# What the safety check has answered: batches of them, and the tokens of one of each batch together.
SAFETY_BATCHES, SAFETY_TOKENS = 9, 480
SMALL_PARAMETERS = 10_000_000  # measured by itself: a few steps take seconds


@dataclass(frozen=True, slots=True)
class Plan:
    """How much a run does. Validations and checkpoints follow from the settings; early stopping may end it sooner."""

    steps: int
    epochs: float
    evaluations: int
    checkpoints: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What training is to take. `cost_micro` is in millionths of the currency unit. `judging_seconds` come on top: comparing
    with what it starts from, and the safety check; 0 where nobody measured them.
    """

    seconds: float
    memory_bytes: int
    tokens: int
    cost_micro: int
    judging_seconds: float = 0.0


def measurement_key(
    *,
    kind: str,
    version_id: str,
    base_digest: str,
    method: str,
    hyperparameters: dict[str, Any],
    machine: dict[str, Any],
) -> str:
    """A digest of all that a measurement depends on: the run, and how the machine runs it, which does not matter to who
    looks a run over."""
    asked = {name: value for name, value in sorted(hyperparameters.items()) if name not in FREE}
    if kind == "inspect":
        asked, machine = {"max_length": hyperparameters["max_length"]}, {}
    if method == "full":
        asked.pop("lora", None)
    body = json.dumps([kind, version_id, base_digest, method, asked, machine], sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()


def plan_of(*, rows: int, hyperparameters: dict[str, Any], has_validation: bool) -> Plan:
    """Steps as the engine counts them: whole batches a pass, the last step looked at and saved whatever its number."""
    batch = hyperparameters["batch_size"] * hyperparameters["gradient_accumulation_steps"]
    an_epoch = max(1, math.ceil(rows / batch))
    asked = hyperparameters.get("max_steps") or 0  # instead of passes, where somebody said so
    steps = asked or max(1, math.ceil(an_epoch * hyperparameters["n_epochs"]))
    evaluations = math.ceil(steps / hyperparameters["eval_steps"]) if has_validation else 0
    saves = {*range(hyperparameters["save_steps"], steps, hyperparameters["save_steps"]), steps}
    if has_validation:  # while it improves, each look at the validation rows is saved
        saves |= set(range(hyperparameters["eval_steps"], steps, hyperparameters["eval_steps"]))
    return Plan(steps, steps / an_epoch if asked else hyperparameters["n_epochs"], evaluations, len(saves))


def project(measured: dict[str, Any], *, plan: Plan, test_rows: int = 0, price_micro_an_hour: int = 0) -> Estimate:
    """The whole run from what was measured: start, steps, looks at the validation rows, checkpoints, the model folder."""
    stepping = plan.steps * measured["step_seconds"]
    sampling = measured["sample_seconds"]
    seconds = (
        measured["start_seconds"]
        + stepping
        + plan.evaluations * measured["evaluation_seconds"]
        + min(plan.evaluations * sampling, sampling + SAMPLING_SHARE * stepping)
        + plan.checkpoints * measured["checkpoint_seconds"]
        + measured["finish_seconds"]
    )
    return Estimate(
        seconds=seconds,
        memory_bytes=measured["memory_bytes"],
        tokens=round(measured["tokens"] * plan.epochs),
        cost_micro=math.ceil(price_micro_an_hour * seconds / 3600),
        judging_seconds=judging(measured.get("judging") or {}, test_rows=test_rows),
    )


def judging(measured: dict[str, float], *, test_rows: int) -> float:
    """Seconds until both models are compared and the fine-tune is checked, where their answers get as long as they may."""
    if not measured or not test_rows:
        return 0.0
    rows = min(test_rows, TEST_ROWS)
    answers = measured["prompt_seconds"] + measured["answer_tokens"] * measured["token_seconds"]
    one = (
        rows * measured["row_seconds"]
        + math.ceil(rows / ANSWER_ROWS) * answers
        + min(rows, measured["label_rows"]) * measured["label_seconds"]
    )
    safety = SAFETY_BATCHES * measured["prompt_seconds"] + SAFETY_TOKENS * measured["token_seconds"]
    return 2 * measured["process_seconds"] + 3 * measured["load_seconds"] + 2 * one + safety


def rough(
    *, parameters: int, row_tokens: float, rows: int, plan: Plan, device: str, price_micro_an_hour: int = 0
) -> Estimate:
    """The run from its size alone, before anything was tried: six operations a number and token, a tenth for looks."""
    tokens = round((row_tokens or USUAL_TOKENS) * rows * plan.epochs)
    seconds = 1.1 * 6 * parameters * tokens / ROUGH_RATES.get(device, ROUGH_RATES["cpu"])
    return Estimate(
        seconds=max(1.0, seconds),
        memory_bytes=0,
        tokens=tokens,
        cost_micro=math.ceil(price_micro_an_hour * seconds / 3600),
    )


def learning_parameters(parameters: int, *, method: str, hyperparameters: dict[str, Any]) -> int:
    """How many numbers learn, at most. An adapter adds rank × (in + out) to each matrix; `parameters` in LAYERS square
    ones is the most that this comes to."""
    if method == "full":
        return parameters
    rank = int((hyperparameters.get("lora") or {}).get("rank", 0))
    return min(parameters, round(2 * rank * math.sqrt(parameters * LAYERS)))


def least_memory(*, parameters: int, method: str, hyperparameters: dict[str, Any], device: str) -> int:
    """Bytes for weights, gradients and optimiser state alone; what the rows take comes on top."""
    if method == "full":
        state = OPTIMIZER_BYTES.get(str(hyperparameters["optimizer"]), 8)
        return parameters * (4 + 4 + state)
    return parameters * (1 if method == "qlora" else 2 if device == "cuda" else 4)
