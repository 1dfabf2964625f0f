"""A fine-tune from a complete spec to a model folder, resuming by itself. Knows no queue and no presets."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from datasets import Dataset
from transformers import set_seed
from transformers.trainer_callback import PrinterCallback

from training_app.engine.arguments import adapter_config, optimizer_choice, trainer_arguments
from training_app.engine.artifact import Results, write_model_folder
from training_app.engine.batching import LengthPools
from training_app.engine.checkpoints import Checkpoint, RunState, checkpoint_path, take_newest
from training_app.engine.data import Example, Examples, build_examples, read_rows
from training_app.engine.device import TrainingPlan, pick_device, plan_training
from training_app.engine.errors import EngineError, RunStopped
from training_app.engine.events import EventLog
from training_app.engine.model import Speaker, count_parameters, load_speaker
from training_app.engine.spec import TrainSpec
from training_app.engine.stopping import StopRequest
from training_app.engine.trainer import WEIGHT, AnswerTrainer, Watch


def train(spec: TrainSpec, events: EventLog, stop: StopRequest) -> None:
    """Train, keep the best weights and write `<run>/model`. Raises EngineError or RunStopped (after saving)."""
    device = pick_device(spec.common.device, spec.common.threads)
    found, dropped = take_newest(spec.common.run / "checkpoints")
    events.write(
        "started",
        pid=os.getpid(),
        device=spec.common.device,
        threads=spec.common.threads,
        resumed_from=found.step if found else None,
    )
    if dropped:
        events.notice(f"Checkpoints of steps {_listed(dropped)} were not whole and were deleted.", level="warning")
    parameters = count_parameters(spec.base_model.path)
    plan = plan_training(device, method=spec.method, parameters=parameters)
    set_seed(spec.hyperparameters.seed)
    speaker = load_speaker(spec.base_model, dtype=plan.weights, device=device)
    stop.check()
    learn, validate = _prepare_data(spec, speaker, events)
    stop.check()
    state = found.state if found else RunState()
    trainer = _make_trainer(spec, speaker, plan, learn, validate, state, events, stop)
    steps, tokens = _run(trainer, found, state)
    if stop.requested and not state.stopped_early and steps < trainer.state.max_steps:
        raise RunStopped(
            f"Stopped on request after step {steps}; the checkpoint is saved and the run can go on from it."
        )
    _finish(spec, speaker, events, state, Results(steps=steps, trained_tokens=tokens, learn=learn, validate=validate))


def _prepare_data(spec: TrainSpec, speaker: Speaker, events: EventLog) -> tuple[Examples, Examples | None]:
    limit = min(spec.hyperparameters.max_length, speaker.context)
    weights = spec.class_weights
    learn = build_examples(
        read_rows(spec.train), speaker.tokenizer, speaker.stop_tokens, max_length=limit, weights=weights
    )
    _report_losses(learn, "training", limit, events)
    if not learn.items:
        raise EngineError(
            "nothing_to_learn",
            f"No row of {spec.train.name} has an answer that fits into {limit} tokens.",
            fix="Check that the data set has assistant turns, or raise the maximum length.",
        )
    validate = None
    if spec.validation is not None and spec.validation.exists():
        rows = read_rows(spec.validation)
        validate = build_examples(rows, speaker.tokenizer, speaker.stop_tokens, max_length=limit)
        _report_losses(validate, "validation", limit, events)
    if validate is None or not validate.items:
        events.notice(
            "There are no validation rows, so there is no validation loss and no early stopping; "
            "the last weights are kept.",
            level="warning",
        )
        return learn, None
    return learn, validate


def _report_losses(examples: Examples, split: str, limit: int, events: EventLog) -> None:
    if examples.truncated:
        events.notice(f"{examples.truncated} {split} rows were cut at {limit} tokens.", level="warning")
    if examples.nothing_to_learn:
        events.notice(
            f"{examples.nothing_to_learn} {split} rows hold no answer within {limit} tokens and are left out.",
            level="warning",
        )


def _make_trainer(
    spec: TrainSpec,
    speaker: Speaker,
    plan: TrainingPlan,
    learn: Examples,
    validate: Examples | None,
    state: RunState,
    events: EventLog,
    stop: StopRequest,
) -> AnswerTrainer:
    parameters = spec.hyperparameters
    order = LengthPools(
        [len(item.input_ids) for item in learn.items], batch_size=parameters.batch_size, seed=parameters.seed
    )
    counts: dict[str, Any] = {
        "epochs": parameters.n_epochs,
        "train_rows": len(learn.items),
        "validation_rows": len(validate.items) if validate else 0,
        "train_tokens": learn.tokens,
        "learned_tokens": learn.learned_tokens,
    }
    watch = Watch(
        run_state=state,
        events=events,
        stop=stop,
        order=order,
        patience=parameters.early_stopping_patience,
        min_delta=parameters.early_stopping_min_delta,
        plan=counts,
    )
    trainer = AnswerTrainer(
        run_state=state,
        events=events,
        order=order,
        model=speaker.model,
        args=trainer_arguments(spec, plan, len(learn.items), has_validation=validate is not None),
        train_dataset=_dataset(learn.items, weighted=spec.class_weights is not None),
        eval_dataset=_dataset(_by_length(validate.items)) if validate else None,
        processing_class=speaker.tokenizer,
        peft_config=adapter_config(parameters),
        optimizer_cls_and_kwargs=optimizer_choice(parameters),
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    counts["trainable_parameters"] = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    counts["total_parameters"] = sum(p.numel() for p in trainer.model.parameters())
    return trainer


def _run(trainer: AnswerTrainer, found: Checkpoint | None, state: RunState) -> tuple[int, int]:
    """Train to the end, or not at all when the checkpoint is already the end. Returns steps and tokens trained."""
    if found is not None:
        saved = _trainer_state(found)
        if state.stopped_early or found.step >= saved["max_steps"]:
            return found.step, int(saved["num_input_tokens_seen"])
    trainer.train(resume_from_checkpoint=str(found.path) if found else None)
    return int(trainer.state.global_step), int(trainer.state.num_input_tokens_seen)


def _finish(spec: TrainSpec, speaker: Speaker, events: EventLog, state: RunState, results: Results) -> None:
    checkpoints = spec.common.run / "checkpoints"
    kept_step = state.best_step if state.best_step is not None else results.steps
    write_model_folder(spec, speaker.tokenizer, checkpoint_path(checkpoints, kept_step), state, results)
    events.write("saved", path="model")
    events.write(
        "finished",
        reason="early_stopping" if state.stopped_early else "completed",
        best_step=state.best_step,
        best_loss=state.best_loss,
        steps=results.steps,
        trained_tokens=results.trained_tokens,
    )


def _trainer_state(found: Checkpoint) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((found.path / "trainer_state.json").read_text(encoding="utf-8"))
    return content


def _dataset(items: Sequence[Example], *, weighted: bool = False) -> Dataset:
    columns: dict[str, Any] = {
        "input_ids": [item.input_ids for item in items],
        "labels": [item.labels for item in items],
    }
    if weighted:
        columns[WEIGHT] = [item.weight for item in items]
    return Dataset.from_dict(columns)


def _by_length(items: Sequence[Example]) -> list[Example]:
    return sorted(items, key=lambda item: len(item.input_ids))


def _listed(steps: Sequence[int]) -> str:
    return ", ".join(str(step) for step in sorted(steps))
