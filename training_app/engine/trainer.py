"""TRL's SFTTrainer with what this engine adds: sealed checkpoints, honest validation loss, early stop, live events.

It knows neither specs nor model folders: `train` puts it together.
"""

from __future__ import annotations

import inspect
import math
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from trl import SFTTrainer

from training_app.engine.batching import LengthPools
from training_app.engine.checkpoints import RunState, checkpoint_path, rotate, seal
from training_app.engine.data import IGNORED
from training_app.engine.errors import EngineError
from training_app.engine.events import EventLog
from training_app.engine.stopping import StopRequest

# Up to this many logits are built at once (float32: 256 MiB); beyond, the library's slower kernel works in pieces.
MOST_LOGITS = 64 * 1024 * 1024
WEIGHT = "weight"


class AnswerTrainer(SFTTrainer):  # type: ignore[misc]
    """Trains on prepared examples; every checkpoint it leaves is sealed, announced and rotated."""

    data_collator: Any
    _signature_columns: Any

    def __init__(self, *, run_state: RunState, events: EventLog, order: LengthPools, **options: Any) -> None:
        super().__init__(**options)
        self._run_state = run_state
        self._events = events
        self._order = order
        self._validation_loss = torch.zeros((), dtype=torch.float64)
        self._validation_tokens = 0
        bare = self.model.get_base_model() if options.get("peft_config") else self.model
        self._picks_positions = "logits_to_keep" in inspect.signature(type(bare).forward).parameters
        self._vocabulary = int(bare.config.get_text_config().vocab_size)
        self.data_collator = WithWeights(self.data_collator)

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        if WEIGHT not in self._signature_columns:
            self._signature_columns = [*self._signature_columns, WEIGHT]

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthPools:
        return self._order

    def _get_eval_sampler(self, eval_dataset: Any) -> torch.utils.data.Sampler[int]:
        return torch.utils.data.SequentialSampler(eval_dataset)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The mean cross-entropy over answer tokens; logits are built only where some row of the batch has an answer.

        On a CPU the library scores every position of every prompt too, which is half the time of a small model's step.
        With weights each row's part is scaled by its weight, and the count stays that of tokens.
        """
        weights = inputs.pop(WEIGHT, None)
        if weights is not None:
            return self._weighted_loss(model, inputs, weights, num_items_in_batch)
        positions = answer_positions(inputs["labels"])
        logits = inputs["labels"].shape[0] * len(positions) * self._vocabulary
        plain = self._picks_positions and not self.aux_loss_enabled and self.accelerator.num_processes == 1
        if return_outputs or not plain or logits > MOST_LOGITS:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        output = model(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            logits_to_keep=positions,
            use_cache=False,
        )
        targets = inputs["labels"][:, positions + 1]
        chosen = targets != IGNORED
        count = chosen.sum() if num_items_in_batch is None else num_items_in_batch
        return cross_entropy(output.logits[chosen].float(), targets[chosen], reduction="sum") / count

    def _weighted_loss(self, model: Any, inputs: dict[str, Any], weights: torch.Tensor, count: Any) -> torch.Tensor:
        positions = answer_positions(inputs["labels"])
        kept = {"logits_to_keep": positions} if self._picks_positions else {}
        asked = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"], "use_cache": False}
        logits = model(**asked, **kept).logits
        loss = weighted_loss(
            logits if self._picks_positions else logits[:, positions],
            inputs["labels"][:, positions + 1],
            weights,
            count=count,
        )
        return loss if count is None else loss * self.accelerator.num_processes  # the count is that of all processes

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        loss: torch.Tensor = super().training_step(*args, **kwargs)
        if not torch.isfinite(loss):
            raise loss_not_finite(self.state.global_step + 1, "training")
        return loss

    def prediction_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> tuple[Any, Any, Any]:
        tokens = int((inputs["labels"][:, 1:] != IGNORED).sum())
        loss, logits, labels = super().prediction_step(model, inputs, *args, **kwargs)
        self._validation_loss += loss.double().cpu() * tokens
        self._validation_tokens += tokens
        return loss, logits, labels

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
        """As the library's, but the loss is the mean over answer tokens, not over batches of unlike size."""
        self._validation_loss.zero_()
        self._validation_tokens = 0
        output = super().evaluation_loop(*args, **kwargs)
        output.metrics["eval_loss"] = float(self._validation_loss) / max(1, self._validation_tokens)
        return output

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        folder = Path(self.args.output_dir)
        path = checkpoint_path(folder, self.state.global_step)
        seal(path, self._run_state)
        self._events.write("checkpoint", step=self.state.global_step, path=f"{folder.name}/{path.name}")
        rotate(folder)

    def create_model_card(self, *_args: Any, **_kwargs: Any) -> None:
        """Checkpoints carry no card; the finished model folder carries the project's own."""


class WithWeights:
    """A collator that also hands on how much each row counts, where rows say so."""

    def __init__(self, collate: Any) -> None:
        self._collate = collate

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        batch: dict[str, Any] = self._collate(examples)
        if WEIGHT in examples[0]:
            batch[WEIGHT] = torch.tensor([example[WEIGHT] for example in examples])
        return batch


def weighted_loss(
    logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, *, count: Any = None
) -> torch.Tensor:
    """Sum of weight x cross-entropy over the answer tokens, divided by their number: each row (rows x positions) has
    one weight. Dividing by the number, and not by the sum of weights, keeps a step independent of what else is in it.
    """
    chosen = targets != IGNORED
    losses = cross_entropy(logits[chosen].float(), targets[chosen], reduction="none")
    each = weights.to(losses.device)[:, None].expand(targets.shape)[chosen]
    return (each * losses).sum() / (chosen.sum() if count is None else count)


def answer_positions(labels: torch.Tensor) -> torch.Tensor:
    """Positions, ascending, whose next token is an answer token in at least one row of `labels` (rows x length)."""
    return (labels[:, 1:] != IGNORED).any(dim=0).nonzero().flatten()


def loss_not_finite(step: int, phase: str) -> EngineError:
    """The failure of a run whose loss is no number any more."""
    return EngineError(
        "loss_not_finite",
        f"The {phase} loss stopped being a number at step {step}, so the weights can no longer be trusted.",
        fix="Start again with a lower learning rate (a tenth of this one), or with more warm-up.",
    )


class Watch(TrainerCallback):  # type: ignore[misc]
    """Turns the trainer's life into events, and decides when to evaluate, save and stop."""

    def __init__(
        self,
        *,
        run_state: RunState,
        events: EventLog,
        stop: StopRequest,
        order: LengthPools,
        patience: int,
        min_delta: float,
        plan: dict[str, Any],
    ) -> None:
        self._run_state = run_state
        self._events = events
        self._stop = stop
        self._order = order
        self._patience = patience
        self._min_delta = min_delta
        self._plan = plan
        self._began = self._last_time = time.monotonic()
        self._began_step = self._last_tokens = 0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """State the plan, now that the number of steps is known."""
        self._events.write("plan", steps=state.max_steps, **self._plan)
        self._began = self._last_time = time.monotonic()
        self._began_step, self._last_tokens = state.global_step, state.num_input_tokens_seen

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Tell the sampler its epoch; after a resume the library's own way does not reach a wrapped sampler."""
        self._order.set_epoch(math.floor((state.epoch or 0.0) + 1e-6))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Let the last step compete with the best one, and save before a stop that was asked for."""
        if state.global_step >= state.max_steps:
            control.should_log = True
            control.should_save = True
            control.should_evaluate = args.eval_strategy != "no"
        if self._stop.requested:
            control.should_save = control.should_training_stop = True

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metrics: dict[str, float], **_: Any
    ) -> None:
        """Record the validation loss; keep the best weights; stop when patience has run out."""
        loss = float(metrics["eval_loss"])
        self._events.write("evaluation", step=state.global_step, epoch=round(state.epoch or 0.0, 4), loss=loss)
        if not math.isfinite(loss):
            raise loss_not_finite(state.global_step, "validation")
        if self._run_state.observe(state.global_step, loss, min_delta=self._min_delta):
            control.should_save = True
        if self._patience and self._run_state.patience_used >= self._patience:
            self._run_state.stopped_early = state.global_step < state.max_steps
            control.should_save = control.should_training_stop = True
        if self._stop.requested:
            control.should_save = control.should_training_stop = True

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: dict[str, float], **_: Any
    ) -> None:
        """Report the curve and how long it will take."""
        if "loss" not in logs:
            return
        now = time.monotonic()
        tokens = state.num_input_tokens_seen - self._last_tokens
        self._events.write(
            "metric",
            step=state.global_step,
            epoch=round(state.epoch or 0.0, 4),
            loss=logs["loss"],
            learning_rate=logs.get("learning_rate"),
            grad_norm=logs.get("grad_norm"),
            tokens_per_second=round(tokens / max(now - self._last_time, 1e-6), 1),
        )
        per_step = (now - self._began) / max(1, state.global_step - self._began_step)
        remaining = (state.max_steps - state.global_step) * per_step
        self._events.write("progress", step=state.global_step, steps=state.max_steps, eta_seconds=round(remaining, 1))
        self._last_time, self._last_tokens = now, state.num_input_tokens_seen
