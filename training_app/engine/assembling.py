"""A run's trainer, put together from its spec, its model and its rows. Trains nothing.

Several processes each make one. The rows of a step are the same however many there are: each takes its share, and where rows
do not suffice for all, one that teaches nothing stands in.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from datasets import Dataset
from transformers.trainer_callback import PrinterCallback

from training_app.engine import together
from training_app.engine.arguments import (
    adapter_config,
    optimizer_choice,
    planned_steps,
    share_of_step,
    trainer_arguments,
)
from training_app.engine.batching import LengthPools
from training_app.engine.checkpoints import RunState
from training_app.engine.data import IGNORED, Example, Pair
from training_app.engine.device import TrainingPlan
from training_app.engine.events import EventLog
from training_app.engine.model import Speaker
from training_app.engine.preferences import PairTrainer, base_log_probabilities, pair_columns
from training_app.engine.preparing import Split
from training_app.engine.reference import UNSEEN, reference_key, reference_of
from training_app.engine.spec import TrainSpec
from training_app.engine.stopping import StopRequest
from training_app.engine.trainer import NUMBER, WEIGHT, AnswerTrainer
from training_app.engine.watch import Watch


def make_trainer(
    spec: TrainSpec,
    speaker: Speaker,
    plan: TrainingPlan,
    learn: Split,
    validate: Split | None,
    state: RunState,
    events: EventLog,
    stop: StopRequest,
) -> AnswerTrainer:
    """The trainer of a run, supervised or of pairs, ready to begin or to go on from `state`."""
    parameters = spec.hyperparameters
    share = share_of_step(parameters, together.size())
    order = LengthPools(
        [item.length for item in learn.items],
        batch_size=parameters.batch_size,
        seed=parameters.seed,
        shared=together.evenly(share[0]),
    )
    steps_an_epoch = -(-len(learn.items) // parameters.step_rows)
    counts: dict[str, Any] = {
        "epochs": round(planned_steps(parameters, len(learn.items)) / steps_an_epoch, 2)
        if parameters.max_steps
        else parameters.n_epochs,
        "train_rows": len(learn.items),
        "validation_rows": len(validate.items) if validate else 0,
        "train_tokens": learn.tokens,
        "learned_tokens": learn.learned_tokens,
        "micro_batch_size": share[0],
        "processes": together.size(),
    }
    watch = Watch(
        run_state=state,
        events=events,
        stop=stop,
        order=order,
        metric=parameters.early_stopping_metric,
        patience=parameters.early_stopping_patience,
        min_delta=parameters.early_stopping_min_delta,
        plan=counts,
    )
    options: dict[str, Any] = {
        "run_state": state,
        "events": events,
        "order": order,
        "places": [item.place for item in learn.items],
        "model": speaker.model,
        "args": trainer_arguments(spec, plan, len(learn.items), share=share, has_validation=validate is not None),
        "processing_class": speaker.tokenizer,
        "peft_config": adapter_config(parameters, speaker.model),
        "optimizer_cls_and_kwargs": optimizer_choice(parameters, plan.device),
        "callbacks": [watch],
    }
    trainer = (
        _pair_trainer(spec, speaker, plan, learn, validate, stop, options, counts)
        if parameters.objective == "dpo"
        else AnswerTrainer(
            train_dataset=_dataset(learn.items, speaker, weighted=spec.class_weights is not None),
            eval_dataset=_dataset(_by_length(validate.items), speaker) if validate else None,
            smoothing=parameters.label_smoothing,
            **options,
        )
    )
    trainer.remove_callback(PrinterCallback)
    counts["trainable_parameters"] = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    counts["total_parameters"] = sum(p.numel() for p in trainer.model.parameters())
    return trainer


def _pair_trainer(
    spec: TrainSpec,
    speaker: Speaker,
    plan: TrainingPlan,
    learn: Split,
    validate: Split | None,
    stop: StopRequest,
    options: dict[str, Any],
    counts: dict[str, Any],
) -> PairTrainer:
    """What the base model makes of the answers is worked out first, while the model is still the base model.

    A run that sees some of its pairs alone (as a trial does) has it worked out for these; how long it took is counted.
    """
    work = partial(
        base_log_probabilities,
        speaker,
        plan=plan,
        rows=spec.hyperparameters.micro_batch_size,
        stop=stop,
    )

    def dataset(name: str, pairs: Sequence[Any], wanted: Collection[int]) -> Dataset:
        key = reference_key(spec.base_model.path, pairs, wanted, plan)
        path = spec.common.run / f"reference-{name}.json"
        score = partial(together.shared_out, work=work)
        found = reference_of(path, pairs, wanted=wanted, key=key, score=score, writes=together.leads())
        stand_in = _stand_in(speaker)
        return Dataset.from_dict(
            pair_columns([*pairs, *(Pair(each, each) for each in stand_in)], [*found, *(UNSEEN for _ in stand_in)])
        )

    rows = planned_steps(spec.hyperparameters, len(learn.items)) * spec.hyperparameters.step_rows
    seen = frozenset(options["order"].first(rows))
    held_out = _by_length(validate.items) if validate else []
    validation = dataset("validation", held_out, range(len(held_out))) if validate else None
    began = time.monotonic()
    training = dataset("train", learn.items, seen)
    counts |= {"reference_pairs": len(seen), "reference_seconds": round(time.monotonic() - began, 2)}
    return PairTrainer(
        train_dataset=training,
        eval_dataset=validation,
        beta=spec.hyperparameters.dpo_beta,
        **options,
    )


def _stand_in(speaker: Speaker) -> list[Example]:
    """What closes a data set that several processes share: an example without an answer."""
    padding = int(speaker.tokenizer.pad_token_id)
    return [Example([padding] * 2, [IGNORED] * 2)] if together.size() > 1 else []


def _dataset(items: Sequence[Any], speaker: Speaker, *, weighted: bool = False) -> Dataset:
    items = [*items, *_stand_in(speaker)]
    columns: dict[str, Any] = {
        "input_ids": [item.input_ids for item in items],
        "labels": [item.labels for item in items],
    }
    columns[NUMBER] = list(range(len(items)))
    if weighted:
        columns[WEIGHT] = [item.weight for item in items]
    return Dataset.from_dict(columns)


def _by_length(items: Sequence[Any]) -> list[Any]:
    return sorted(items, key=lambda item: item.length)
