"""The specs the engine accepts, and their check, field by field, with sentences. Opens no file named in a spec.

A whole training spec (all keys are required; `lora` may be null when the method is "full"; `data` may also hold
`class_weights`, numbers by label that scale the loss of a row, and `train_share`, above 0 and at most 1: so much of the
training rows is learned from, drawn by group with the run's seed):

    {"v": 1, "kind": "train", "job": "ftjob-1", "attempt": 1,
     "base_model": {"name": "studio-starter-1", "path": "/models/starter"},  (`base_path` beside it: `path` is an adapter)
     "data": {"train": "/v/train.parquet", "validation": "/v/validation.parquet"},
     "method": "full",
     "hyperparameters": {"learning_rate": 0.001, "batch_size": 16, "gradient_accumulation_steps": 1, "n_epochs": 3,
       "optimizer": "adamw", "weight_decay": 0.01, "warmup_ratio": 0.05, "scheduler": "cosine", "max_grad_norm": 1.0,
       "max_length": 512, "seed": 0, "early_stopping_patience": 3, "early_stopping_min_delta": 0.001,
       "eval_steps": 50, "save_steps": 50, "lora": {"rank": 16, "alpha": 32, "dropout": 0.05}},
     "device": "cpu", "threads": 2}

Further hyperparameters, which may be left out, stand in `hyperparameters`. The run folder is the folder that holds the
spec; relative paths start there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training_app.engine.errors import EngineError
from training_app.engine.fields import Fields
from training_app.engine.hyperparameters import Hyperparameters, read_hyperparameters
from training_app.engine.limits import LIMITS

METHODS = ("full", "lora", "qlora")
DEVICES = ("cpu", "cuda")
FORMS = ("merged", "gguf-f16", "gguf-f32")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model on disk; `base_path` is set when `path` holds an adapter."""

    name: str
    path: Path
    base_path: Path | None = None

    @property
    def whole(self) -> Path:
        """The folder with the configuration and all weights; tokenizer and template are those of `path`."""
        return self.base_path or self.path


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
    train_share: float = 1.0


@dataclass(frozen=True, slots=True)
class EvaluateSpec:
    """Base and tuned model against the test split. `labels` are labels of the data set that the test rows may lack;
    `max_new_tokens` is the most that answers may have, of which they get what the references ask for. `objective` is what the
    tuned model learned by: the verdict on one that learned from pairs is about pairs.
    """

    common: Common
    base_model: ModelFolder
    tuned_model: ModelFolder
    test: Path
    max_rows: int
    max_new_tokens: int
    seed: int
    labels: tuple[str, ...] = ()
    batch_share: float = 1.0
    objective: str = "supervised"


@dataclass(frozen=True, slots=True)
class SafetySpec:
    """The tuned model against canaries, its own training rows, asks and pairs. `limits` by check, where they are set."""

    common: Common
    tuned_model: ModelFolder
    train: Path
    canaries: tuple[str, ...]
    max_rows: int
    seed: int
    limits: dict[str, float]
    batch_share: float = 1.0


@dataclass(frozen=True, slots=True)
class ExportSpec:
    """A model to be written for elsewhere in one of FORMS; `merged` takes an adapter."""

    common: Common
    model: ModelFolder
    form: str
    licence: str


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
        base_model=_model(fields.group("base_model"), run, may_be_adapter=True),
        train=run / data.text("train"),
        validation=_optional_path(data, "validation", run),
        method=method,
        hyperparameters=read_hyperparameters(fields.plain("hyperparameters"), "spec.hyperparameters", method),
        content=content,
        class_weights=data.optional_numbers("class_weights", 0.0, 1e9),
        train_share=data.optional_number("train_share", 0.0, 1.0, above=True) or 1.0,
    )
    data.refuse_unknown()
    fields.refuse_unknown()
    if spec.class_weights and spec.hyperparameters.objective == "dpo":
        raise EngineError(
            "spec_invalid",
            "spec.data.class_weights are for answers; with preference pairs they must be left out.",
            fix="Correct this field of the spec and start the job again.",
        )
    if spec.method == "qlora" and spec.base_model.base_path is not None:
        raise EngineError(
            "spec_invalid",
            f"{spec.base_model.name} is an adapter, which is merged before it is learned from; in 4 bits that would lose it.",
            fix="Choose the method lora, or start from a base model.",
        )
    return spec


def parse_rehearsal(content: dict[str, Any], run: Path, *, kind: str) -> TrainSpec:
    """A whole training spec under another kind: the run is looked over or tried out, not done."""
    Fields(content, "spec").choice("kind", (kind,))
    return parse_train({**content, "kind": "train"}, run)


def parse_evaluate(content: dict[str, Any], run: Path) -> EvaluateSpec:
    """Check an evaluation spec; EngineError `spec_invalid` names the field and what is allowed."""
    fields = Fields(content, "spec")
    common = _common(fields, run, "evaluate")
    data = fields.group("data")
    spec = EvaluateSpec(
        common=common,
        base_model=_model(fields.group("base_model"), run, may_be_adapter=True),
        tuned_model=_model(fields.group("tuned_model"), run, may_be_adapter=True),
        test=run / data.text("test"),
        max_rows=fields.whole("max_rows", 1, 10_000_000),
        max_new_tokens=fields.whole("max_new_tokens", 1, 4096),
        seed=fields.whole("seed", 0, 2**32 - 1),
        labels=data.optional_texts("labels"),
        batch_share=fields.optional_number("batch_share", 0.0, 1.0, above=True) or 1.0,
        objective=fields.choice("objective", ("supervised", "dpo")) if "objective" in content else "supervised",
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
        limits=_limits(fields),
        batch_share=fields.optional_number("batch_share", 0.0, 1.0, above=True) or 1.0,
    )
    data.refuse_unknown()
    fields.refuse_unknown()
    return spec


def parse_export(content: dict[str, Any], run: Path) -> ExportSpec:
    """Check an export's spec; EngineError `spec_invalid` names the field and what is allowed."""
    fields = Fields(content, "spec")
    spec = ExportSpec(
        common=_common(fields, run, "export"),
        model=_model(fields.group("model"), run, may_be_adapter=True),
        form=fields.choice("form", FORMS),
        licence=fields.optional_text("licence") or "",
    )
    fields.refuse_unknown()
    if spec.form == "merged" and spec.model.base_path is None:
        raise EngineError(
            "spec_invalid",
            f"spec.model: {spec.model.name} is no adapter, so there is nothing to merge.",
            fix="Take its folder as it is.",
        )
    return spec


def _limits(fields: Fields) -> dict[str, float]:
    limits = fields.optional_numbers("limits", 0.0, 1e9) or {}
    for unknown in sorted(set(limits) - set(LIMITS)):
        known = ", ".join(LIMITS)
        fix = "Correct this field of the spec and start the job again."
        raise EngineError("spec_invalid", f"spec.limits.{unknown} is no check; checks are {known}.", fix=fix)
    return limits


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
