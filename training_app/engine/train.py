"""A fine-tune from a complete spec to a model folder, resuming by itself. Knows no queue and no presets."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from transformers import set_seed

from training_app.engine import together
from training_app.engine.arguments import optimizer_choice, share_of_step
from training_app.engine.artifact import Results, write_model_folder
from training_app.engine.assembling import make_trainer
from training_app.engine.checkpoints import Checkpoint, RunState, checkpoint_path, steps_in, take_newest
from training_app.engine.data import Row, read_rows
from training_app.engine.device import TrainingPlan, has_fast_bfloat16, pick_device, plan_training
from training_app.engine.errors import NothingLeft, RunStopped
from training_app.engine.events import EventLog
from training_app.engine.hardest import write_hardest
from training_app.engine.looks import write_first_batch
from training_app.engine.machine import peak_memory_bytes, seconds_of_process
from training_app.engine.model import Speaker, count_parameters, load_speaker
from training_app.engine.ornaments import as_notice
from training_app.engine.preparing import Split, prepare_data
from training_app.engine.quantized import four_bits, made_trainable
from training_app.engine.ranks import ALONE, Ranks
from training_app.engine.sampling import Samples, questions_of
from training_app.engine.spec import TrainSpec
from training_app.engine.stopping import StopRequest
from training_app.engine.trainer import AnswerTrainer
from training_app.engine.watch import DueLook


def train(spec: TrainSpec, events: EventLog, stop: StopRequest, ranks: Ranks = ALONE) -> None:
    """Train, keep the best weights and write `<run>/model`. Raises EngineError or RunStopped (after saving).

    Of several processes each learns from its share of every batch; the leading one alone writes.
    """
    share_of_step(spec.hyperparameters, ranks.size)  # refuses what cannot be done, before anything is loaded
    device = together.join(ranks, pick_device(spec.common.device, spec.common.threads))
    quantization = four_bits(device) if spec.method == "qlora" else None
    optimizer_choice(spec.hyperparameters, device)  # as above
    with together.in_turn():
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
        events.write("kept", steps=sorted(steps_in(spec.common.run / "checkpoints")))
    plan = _plan(spec, events, device)
    set_seed(spec.hyperparameters.seed)
    speaker = load_speaker(spec.base_model, dtype=plan.weights, device=device, quantization=quantization)
    if quantization is not None:
        made_trainable(speaker.model, plan)
    stop.check()
    learn, validate = prepare_data(spec, speaker, events)
    stop.check()
    state = found.state if found else RunState()
    earlier = state.seconds
    trainer = make_trainer(spec, speaker, plan, learn, validate, state, events, stop)
    held_out = read_rows(spec.validation) if validate is not None and spec.validation is not None else []
    if together.leads():
        _let_look_in(trainer, spec, speaker, learn, held_out, events, autocast=plan.autocast)
    steps, tokens = _run(trainer, found, state)
    if stop.requested and not state.stopped_early and (steps < trainer.state.max_steps or state.look_due):
        raise RunStopped(
            f"Stopped on request after step {steps}; the checkpoint is saved and the run can go on from it."
        )
    others = together.memory_of_others(device)
    if not together.leads():
        return
    results = Results(steps=steps, trained_tokens=tokens, learn=learn, validate=validate)
    kept = checkpoint_path(spec.common.run / "checkpoints", state.best_step if state.best_step is not None else steps)
    write_model_folder(spec, speaker.tokenizer, kept, state, results)
    events.write("saved", path="model")
    with as_notice(events, "The validation rows that it finds hardest"):
        _look_back(trainer, spec, speaker, held_out, kept, state, steps)
    seconds = earlier + seconds_of_process()
    events.write("usage", seconds=round(seconds, 1), memory_bytes=peak_memory_bytes(device) + others)
    _finished(events, state, results)


def _plan(spec: TrainSpec, events: EventLog, device: Any) -> TrainingPlan:
    parameters = spec.hyperparameters
    if parameters.precision == "bfloat16" and not has_fast_bfloat16(device):
        events.notice(
            "This machine only imitates bfloat16: the run is slower than with float32 and no better.", level="warning"
        )
    return plan_training(
        device,
        method=spec.method,
        parameters=count_parameters(spec.base_model.whole),
        precision=parameters.precision,
        checkpointing=parameters.gradient_checkpointing,
    )


def _let_look_in(
    trainer: AnswerTrainer,
    spec: TrainSpec,
    speaker: Speaker,
    learn: Split,
    held_out: Sequence[Row],
    events: EventLog,
    *,
    autocast: bool,
) -> None:
    """What people may see of the run while it learns."""
    run, batch = spec.common.run, spec.hyperparameters.batch_size
    with as_notice(events, "The first batch for people to look at"):
        write_first_batch(run, speaker.tokenizer, learn.items, trainer.order, batch_size=batch)
    with as_notice(events, "Sample answers"):
        questions = questions_of(speaker, held_out)
        trainer.add_callback(Samples(speaker, questions, run=run, events=events, autocast=autocast))


def _look_back(
    trainer: AnswerTrainer,
    spec: TrainSpec,
    speaker: Speaker,
    held_out: Sequence[Row],
    kept: Path,
    state: RunState,
    steps: int,
) -> None:
    """Which validation rows the weights of the checkpoint `kept` find hardest."""
    step = state.best_step if state.best_step is not None else steps
    limit = min(spec.hyperparameters.max_length, speaker.context)
    write_hardest(spec.common.run, speaker, trainer.model, held_out, checkpoint=kept, step=step, limit=limit)


def _run(trainer: AnswerTrainer, found: Checkpoint | None, state: RunState) -> tuple[int, int]:
    """Train to the end, or not at all when the checkpoint is already the end. Returns steps and tokens trained."""
    if found is not None:
        saved = _trainer_state(found)
        if state.look_due:
            trainer.add_callback(DueLook(trainer.evaluate))
        elif state.stopped_early or found.step >= saved["max_steps"]:
            return found.step, int(saved["num_input_tokens_seen"])
    with suppress(NothingLeft):
        trainer.train(resume_from_checkpoint=str(found.path) if found else None)
    return int(trainer.state.global_step), int(trainer.state.num_input_tokens_seen)


def _finished(events: EventLog, state: RunState, results: Results) -> None:
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


def _listed(steps: Sequence[int]) -> str:
    return ", ".join(str(step) for step in sorted(steps))
