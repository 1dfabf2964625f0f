"""The settings of a training run and their check, field by field. Opens no file and knows no library.

Settings that came to the spec later may be left out and then mean what runs did before there was such a setting:

    {"max_steps": 0, "micro_batch_size": null, "label_smoothing": 0.0, "early_stopping_metric": "loss",
     "precision": "auto", "gradient_checkpointing": "auto", "objective": "supervised", "dpo_beta": 0.1}

and in `lora` `"targets": "all-linear"`. `max_steps` above 0 takes the place of `n_epochs`. `micro_batch_size` is how many
rows are computed at once: it divides `batch_size`, and the rows of a step and their order stay what `batch_size` and
`gradient_accumulation_steps` say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from training_app.engine.errors import EngineError
from training_app.engine.fields import Fields

OPTIMIZERS = ("adamw", "adam", "rmsprop", "adafactor", "sgd", "adamw_8bit")
SCHEDULERS = ("cosine", "linear", "constant", "polynomial", "inverse_sqrt", "cosine_with_min_lr")
METRICS = ("loss", "accuracy")
PRECISIONS = ("auto", "float32", "bfloat16")
CHECKPOINTING = ("auto", "on", "off")
OBJECTIVES = ("supervised", "dpo")
LORA_TARGETS = ("all-linear", "attention", "mlp")
LATER: dict[str, Any] = {
    "max_steps": 0,
    "micro_batch_size": None,
    "label_smoothing": 0.0,
    "early_stopping_metric": "loss",
    "precision": "auto",
    "gradient_checkpointing": "auto",
    "objective": "supervised",
    "dpo_beta": 0.1,
}


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank adaptation: rank and alpha as in the LoRA paper (the update is scaled by alpha / rank)."""

    rank: int
    alpha: float
    dropout: float
    targets: str


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Everything that shapes the optimisation; steps are optimiser steps, lengths are tokens."""

    learning_rate: float
    batch_size: int
    micro_batch_size: int
    gradient_accumulation_steps: int
    n_epochs: float
    max_steps: int
    optimizer: str
    weight_decay: float
    warmup_ratio: float
    scheduler: str
    max_grad_norm: float
    label_smoothing: float
    max_length: int
    seed: int
    early_stopping_metric: str
    early_stopping_patience: int
    early_stopping_min_delta: float
    eval_steps: int
    save_steps: int
    precision: str
    gradient_checkpointing: str
    objective: str
    dpo_beta: float
    lora: Lora | None

    @property
    def step_rows(self) -> int:
        """How many rows one optimiser step sees."""
        return self.batch_size * self.gradient_accumulation_steps


def read_hyperparameters(content: dict[str, Any], path: str, method: str) -> Hyperparameters:
    """Check a spec's hyperparameters; EngineError `spec_invalid` names the field and what is allowed."""
    fields = Fields({**LATER, **content}, path)
    batch_size = fields.whole("batch_size", 1, 4096)
    parameters = Hyperparameters(
        learning_rate=fields.number("learning_rate", 0.0, 1.0, above=True),
        batch_size=batch_size,
        micro_batch_size=_micro_batch(fields, content.get("micro_batch_size"), batch_size),
        gradient_accumulation_steps=fields.whole("gradient_accumulation_steps", 1, 4096),
        n_epochs=fields.number("n_epochs", 0.0, 1000.0, above=True),
        max_steps=fields.whole("max_steps", 0, 100_000_000),
        optimizer=fields.choice("optimizer", OPTIMIZERS),
        weight_decay=fields.number("weight_decay", 0.0, 1.0),
        warmup_ratio=fields.number("warmup_ratio", 0.0, 0.9),
        scheduler=fields.choice("scheduler", SCHEDULERS),
        max_grad_norm=fields.number("max_grad_norm", 0.0, 1000.0, above=True),
        label_smoothing=fields.number("label_smoothing", 0.0, 0.5),
        max_length=fields.whole("max_length", 8, 1_048_576),
        seed=fields.whole("seed", 0, 2**32 - 1),
        early_stopping_metric=fields.choice("early_stopping_metric", METRICS),
        early_stopping_patience=fields.whole("early_stopping_patience", 0, 10_000),
        early_stopping_min_delta=fields.number("early_stopping_min_delta", 0.0, 100.0),
        eval_steps=fields.whole("eval_steps", 1, 10_000_000),
        save_steps=fields.whole("save_steps", 1, 10_000_000),
        precision=fields.choice("precision", PRECISIONS),
        gradient_checkpointing=fields.choice("gradient_checkpointing", CHECKPOINTING),
        objective=fields.choice("objective", OBJECTIVES),
        dpo_beta=fields.number("dpo_beta", 0.0, 100.0, above=True),
        lora=_lora(fields, content, method),
    )
    fields.refuse_unknown()
    if parameters.objective == "dpo" and parameters.label_smoothing:
        raise _refused(path, "label_smoothing", "is for answers; with preference pairs it must be 0")
    return parameters


def _micro_batch(fields: Fields, given: Any, batch_size: int) -> int:
    if given is None:
        fields.ignore("micro_batch_size")
        return batch_size
    micro = fields.whole("micro_batch_size", 1, batch_size)
    if batch_size % micro:
        raise _refused("spec.hyperparameters", "micro_batch_size", f"is {micro}; allowed is a divisor of {batch_size}")
    return micro


def _lora(fields: Fields, content: dict[str, Any], method: str) -> Lora | None:
    if method == "full":
        fields.ignore("lora")
        return None
    given = content.get("lora")
    if isinstance(given, dict):
        fields.ignore("lora")
        inside = Fields({"targets": "all-linear", **given}, "spec.hyperparameters.lora")
    else:
        inside = fields.group("lora")
    lora = Lora(
        rank=inside.whole("rank", 1, 4096),
        alpha=inside.number("alpha", 0.0, 65_536.0, above=True),
        dropout=inside.number("dropout", 0.0, 0.95),
        targets=inside.choice("targets", LORA_TARGETS),
    )
    inside.refuse_unknown()
    return lora


def _refused(path: str, name: str, why: str) -> EngineError:
    return EngineError(
        "spec_invalid", f"{path}.{name} {why}.", fix="Correct this field of the spec and start the job again."
    )
