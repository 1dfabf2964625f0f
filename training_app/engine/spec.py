"""The specs the engine accepts, and their check, field by field, with sentences. Opens no file named in a spec.

A whole training spec (all keys are required; `lora` may be null when the method is "full"; `data` may also hold
`class_weights`, numbers by label that scale the loss of a row):

    {"v": 1, "kind": "train", "job": "ftjob-1", "attempt": 1,
     "base_model": {"name": "studio-starter-1", "path": "/models/starter"},
     "data": {"train": "/v/train.parquet", "validation": "/v/validation.parquet"},
     "method": "full",
     "hyperparameters": {"learning_rate": 0.001, "batch_size": 16, "gradient_accumulation_steps": 1, "n_epochs": 3,
       "optimizer": "adamw", "weight_decay": 0.01, "warmup_ratio": 0.05, "scheduler": "cosine", "max_grad_norm": 1.0,
       "max_length": 512, "seed": 0, "early_stopping_patience": 3, "early_stopping_min_delta": 0.001,
       "eval_steps": 50, "save_steps": 50, "lora": {"rank": 16, "alpha": 32, "dropout": 0.05}},
     "device": "cpu", "threads": 2}

The run folder is the folder that holds the spec; relative paths start there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training_app.engine.errors import EngineError
from training_app.engine.fields import Fields

OPTIMIZERS = ("adamw", "adam", "rmsprop")
SCHEDULERS = ("cosine", "linear", "constant")
METHODS = ("full", "lora")
DEVICES = ("cpu", "cuda")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model on disk; `base_path` is set when `path` holds an adapter."""

    name: str
    path: Path
    base_path: Path | None = None


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank adaptation: rank and alpha as in the LoRA paper (the update is scaled by alpha / rank)."""

    rank: int
    alpha: float
    dropout: float


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Everything that shapes the optimisation; steps are optimiser steps, lengths are tokens."""

    learning_rate: float
    batch_size: int
    gradient_accumulation_steps: int
    n_epochs: float
    optimizer: str
    weight_decay: float
    warmup_ratio: float
    scheduler: str
    max_grad_norm: float
    max_length: int
    seed: int
    early_stopping_patience: int
    early_stopping_min_delta: float
    eval_steps: int
    save_steps: int
    lora: Lora | None


@dataclass(frozen=True, slots=True)
class Common:
    """What every kind of spec carries."""

    run: Path
    job: str
    attempt: int
    device: str
    threads: int


@dataclass(frozen=True, slots=True)
class TrainSpec:
    """A fine-tune; `content` is the spec as it was given, for the model folder."""

    common: Common
    base_model: ModelFolder
    train: Path
    validation: Path | None
    method: str
    hyperparameters: Hyperparameters
    content: dict[str, Any]
    class_weights: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class EvaluateSpec:
    """Base and tuned model against the test split."""

    common: Common
    base_model: ModelFolder
    tuned_model: ModelFolder
    test: Path
    max_rows: int
    max_new_tokens: int
    seed: int


@dataclass(frozen=True, slots=True)
class SafetySpec:
    """The tuned model against canaries, its own training rows and harmful asks."""

    common: Common
    tuned_model: ModelFolder
    train: Path
    canaries: tuple[str, ...]
    max_rows: int
    seed: int


def read_spec_file(path: Path) -> dict[str, Any]:
    """The JSON object in a spec file; EngineError `spec_unreadable` when there is none."""
    fix = "Write the spec again, or start the job anew from the studio."
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise EngineError("spec_unreadable", f"The spec {path.name} cannot be opened: {reason}.", fix=fix) from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise EngineError("spec_unreadable", f"The spec {path.name} is not valid JSON: {error}.", fix=fix) from error
    if not isinstance(content, dict):
        raise EngineError("spec_unreadable", f"The spec {path.name} must hold one JSON object.", fix=fix)
    return content


def parse_train(content: dict[str, Any], run: Path) -> TrainSpec:
    """Check a training spec; EngineError `spec_invalid` names the field and what is allowed."""
    fields = Fields(content, "spec")
    common = _common(fields, run, "train")
    data = fields.group("data")
    method = fields.choice("method", METHODS)
    spec = TrainSpec(
        common=common,
        base_model=_model(fields.group("base_model"), run),
        train=run / data.text("train"),
        validation=_optional_path(data, "validation", run),
        method=method,
        hyperparameters=_hyperparameters(fields.group("hyperparameters"), method),
        content=content,
        class_weights=data.optional_numbers("class_weights", 0.0, 1e9),
    )
    data.refuse_unknown()
    fields.refuse_unknown()
    return spec


def parse_evaluate(content: dict[str, Any], run: Path) -> EvaluateSpec:
    """Check an evaluation spec; EngineError `spec_invalid` names the field and what is allowed."""
    fields = Fields(content, "spec")
    common = _common(fields, run, "evaluate")
    data = fields.group("data")
    spec = EvaluateSpec(
        common=common,
        base_model=_model(fields.group("base_model"), run),
        tuned_model=_model(fields.group("tuned_model"), run, may_be_adapter=True),
        test=run / data.text("test"),
        max_rows=fields.whole("max_rows", 1, 10_000_000),
        max_new_tokens=fields.whole("max_new_tokens", 1, 4096),
        seed=fields.whole("seed", 0, 2**32 - 1),
    )
    data.refuse_unknown()
    fields.refuse_unknown()
    return spec


def parse_safety(content: dict[str, Any], run: Path) -> SafetySpec:
    """Check a safety spec; EngineError `spec_invalid` names the field and what is allowed."""
    fields = Fields(content, "spec")
    common = _common(fields, run, "safety")
    fields.ignore("base_model")
    data = fields.group("data")
    spec = SafetySpec(
        common=common,
        tuned_model=_model(fields.group("tuned_model"), run, may_be_adapter=True),
        train=run / data.text("train"),
        canaries=fields.texts("canaries"),
        max_rows=fields.whole("max_rows", 0, 10_000_000),
        seed=fields.whole("seed", 0, 2**32 - 1),
    )
    data.refuse_unknown()
    fields.refuse_unknown()
    return spec


def _common(fields: Fields, run: Path, kind: str) -> Common:
    fields.whole("v", 1, 1)
    fields.choice("kind", (kind,))
    return Common(
        run=run,
        job=fields.text("job"),
        attempt=fields.whole("attempt", 1, 2**31 - 1),
        device=fields.choice("device", DEVICES),
        threads=fields.whole("threads", 1, 1024),
    )


def _model(fields: Fields, run: Path, *, may_be_adapter: bool = False) -> ModelFolder:
    base_path = _optional_path(fields, "base_path", run) if may_be_adapter else None
    folder = ModelFolder(name=fields.text("name"), path=run / fields.text("path"), base_path=base_path)
    fields.refuse_unknown()
    return folder


def _optional_path(fields: Fields, key: str, run: Path) -> Path | None:
    text = fields.optional_text(key)
    return None if text is None else run / text


def _hyperparameters(fields: Fields, method: str) -> Hyperparameters:
    parameters = Hyperparameters(
        learning_rate=fields.number("learning_rate", 0.0, 1.0, above=True),
        batch_size=fields.whole("batch_size", 1, 4096),
        gradient_accumulation_steps=fields.whole("gradient_accumulation_steps", 1, 4096),
        n_epochs=fields.number("n_epochs", 0.0, 1000.0, above=True),
        optimizer=fields.choice("optimizer", OPTIMIZERS),
        weight_decay=fields.number("weight_decay", 0.0, 1.0),
        warmup_ratio=fields.number("warmup_ratio", 0.0, 0.9),
        scheduler=fields.choice("scheduler", SCHEDULERS),
        max_grad_norm=fields.number("max_grad_norm", 0.0, 1000.0, above=True),
        max_length=fields.whole("max_length", 8, 1_048_576),
        seed=fields.whole("seed", 0, 2**32 - 1),
        early_stopping_patience=fields.whole("early_stopping_patience", 0, 10_000),
        early_stopping_min_delta=fields.number("early_stopping_min_delta", 0.0, 100.0),
        eval_steps=fields.whole("eval_steps", 1, 10_000_000),
        save_steps=fields.whole("save_steps", 1, 10_000_000),
        lora=_lora(fields, method),
    )
    fields.refuse_unknown()
    return parameters


def _lora(fields: Fields, method: str) -> Lora | None:
    if method == "full":
        fields.ignore("lora")
        return None
    lora_fields = fields.group("lora")
    lora = Lora(
        rank=lora_fields.whole("rank", 1, 4096),
        alpha=lora_fields.number("alpha", 0.0, 65_536.0, above=True),
        dropout=lora_fields.number("dropout", 0.0, 0.95),
    )
    lora_fields.refuse_unknown()
    return lora
