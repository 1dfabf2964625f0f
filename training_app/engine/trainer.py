"""TRL's SFTTrainer with what this engine adds: sealed checkpoints, honest validation scores, losses on answers alone.

It knows neither specs nor model folders: `train` puts it together.
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from trl import SFTTrainer

from training_app.engine import together
from training_app.engine.batching import AsTheyLie, LengthPools
from training_app.engine.checkpoints import RunState, checkpoint_path, rotate, seal, take_newest
from training_app.engine.data import IGNORED
from training_app.engine.errors import LookCutShort, is_lost_company, is_out_of_memory
from training_app.engine.events import EventLog
from training_app.engine.failures import checkpoint_failed, loss_not_finite
from training_app.engine.losses import answer_loss, answer_positions, parts
from training_app.engine.machine import seconds_of_process

# Up to this many logits are built at once (float32: 256 MiB); beyond, a slower head works in pieces.
MOST_LOGITS = 64 * 1024 * 1024
# Columns of the data set beside token ids and labels: how much a row counts, and its number among the rows.
WEIGHT, NUMBER = "weight", "number"


@dataclass(frozen=True, slots=True)
class Score:
    """Of some validation rows: the sum of their losses, how many were right, how many there were."""

    loss: float = 0.0
    right: int = 0
    count: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.loss + other.loss, self.right + other.right, self.count + other.count)


class AnswerTrainer(SFTTrainer):  # type: ignore[misc]
    """Trains on prepared examples; every checkpoint it leaves is sealed, announced and rotated.

    `places` says where each training row came from, for sentences. Where several processes share the rows, both data sets
    end with one that teaches nothing: it stands in wherever rows do not suffice for all.
    """

    data_collator: Any
    loss_is_scaled_for_ga: bool | None
    _signature_columns: Any
    columns: tuple[str, ...] = (WEIGHT, NUMBER)

    def __init__(
        self,
        *,
        run_state: RunState,
        events: EventLog,
        order: LengthPools,
        places: Sequence[str],
        smoothing: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._run_state = run_state
        self._earlier = run_state.seconds
        self._events = events
        self.order = order
        self._places = places
        self._smoothing = smoothing
        self._seen: list[int] = []
        self._score = Score()
        bare = self.model.get_base_model() if options.get("peft_config") else self.model
        self._picks_positions = "logits_to_keep" in inspect.signature(type(bare).forward).parameters
        self._vocabulary = int(bare.config.get_text_config().vocab_size)
        self.data_collator = self._collator(self.data_collator)

    def _collator(self, collate: Any) -> Any:
        return WithColumns(collate)

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        self._signature_columns = list(dict.fromkeys([*self._signature_columns, *self.columns]))

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthPools:
        return self.order

    def _get_eval_sampler(self, eval_dataset: Any) -> AsTheyLie:
        rows = len(eval_dataset) - (together.size() > 1)
        return AsTheyLie(rows, shared=together.evenly(self.args.eval_batch_size))

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The mean cross-entropy over answer tokens; logits are built only where some row of the batch has an answer.

        On a CPU the library scores every position of every prompt too, which is half the time of a small model's step.
        With weights each row's part is scaled by its weight, and the count stays that of tokens.
        """
        weights = inputs.pop(WEIGHT, None)
        own = self._picks_positions and not self.aux_loss_enabled and not return_outputs
        if weights is None and not self._smoothing and not own:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        positions = answer_positions(inputs["labels"])
        count = (inputs["labels"][:, 1:] != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        if not self._too_many(inputs["labels"], positions):
            loss = self._loss(model, inputs, weights, positions, count)
        elif self._smoothing:
            loss = self._loss_in_parts(model, inputs, weights, count)
        else:
            each = self._log_probabilities(model, inputs)
            loss = -(each if weights is None else each * weights.to(each.device)[:, None]).sum() / count
        # The count is that of all processes, and their gradients are averaged.
        return loss if num_items_in_batch is None else loss * self.accelerator.num_processes

    def _too_many(self, labels: torch.Tensor, positions: torch.Tensor) -> bool:
        """Whether logits at the positions are more than are built at once."""
        return bool(labels.shape[0] * len(positions) * self._vocabulary > MOST_LOGITS)

    def _log_probabilities(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        """Of each answer token (rows x length - 1, zero elsewhere), by the library's head that builds its logits a tile
        at a time, on the way back too.
        """
        asked = {name: inputs[name] for name in ("input_ids", "attention_mask", "labels")}
        found: torch.Tensor = model(**asked, fused_lm_head=True).log_probs
        return found

    def _loss(
        self, model: Any, inputs: dict[str, Any], weights: torch.Tensor | None, positions: torch.Tensor, count: Any
    ) -> torch.Tensor:
        logits, targets = self._answers(model, inputs, positions)
        return answer_loss(logits, targets, weights, count=count, smoothing=self._smoothing)

    def _loss_in_parts(
        self, model: Any, inputs: dict[str, Any], weights: torch.Tensor | None, count: Any
    ) -> torch.Tensor:
        """The same where the logits would be too many and the tiles know no smoothing: part by part, the way back of each
        but the last taken at once. Processes exchange their gradients on the way back of the last.
        """
        *earlier, last = parts(inputs["labels"], vocabulary=self._vocabulary, most=MOST_LOGITS)

        def loss_of(part: tuple[slice, torch.Tensor]) -> torch.Tensor:
            rows, positions = part
            some = {name: inputs[name][rows] for name in ("input_ids", "attention_mask", "labels")}
            return self._loss(model, some, None if weights is None else weights[rows], positions, count)

        done = torch.zeros((), device=self.args.device)
        with self.accelerator.no_sync(model):
            for part in earlier:
                loss = loss_of(part)
                self.accelerator.backward(loss * self.accelerator.num_processes)
                done += loss.detach()
        return done + loss_of(last)

    def _answers(
        self, model: Any, inputs: dict[str, Any], positions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits at the positions and the tokens that follow them."""
        asked = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"], "use_cache": False}
        kept = {"logits_to_keep": positions} if self._picks_positions else {}
        logits = model(**asked, **kept).logits
        return (logits if self._picks_positions else logits[:, positions]), inputs["labels"][:, positions + 1]

    def _track_num_input_tokens(self, inputs: dict[str, Any]) -> None:
        """Tokens of rows that stand in for none do not count."""
        real = (inputs["labels"] != IGNORED).any(dim=1)
        super()._track_num_input_tokens({**inputs, "attention_mask": inputs["attention_mask"] * real[:, None]})

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        numbers = inputs.pop(NUMBER).tolist()
        self._seen += numbers
        loss: torch.Tensor = super().training_step(model, inputs, *args, **kwargs)
        if not torch.isfinite(loss):
            raise loss_not_finite(self.state.global_step + 1, "training loss", self._named(numbers))
        return loss

    def _clip_grad_norm(self, model: Any) -> Any:
        """A step whose gradient is no number is not taken: the weights stay sound, and so do all checkpoints."""
        norm = super()._clip_grad_norm(model)
        if not torch.isfinite(torch.as_tensor(norm)):
            seen = [number for numbers in together.gathered(self._seen) for number in numbers]
            raise loss_not_finite(self.state.global_step + 1, "gradient", self._named(seen))
        self._seen = []
        return norm

    def _named(self, numbers: Sequence[int]) -> list[str]:
        return [self._places[number] for number in numbers if number < len(self._places)]

    def prediction_step(self, model: Any, inputs: dict[str, Any], *_args: Any, **_kwargs: Any) -> tuple[Any, Any, Any]:
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            score = self._judge(model, inputs)
        self._score += score
        return torch.tensor(score.loss / max(1, score.count), device=self.args.device), None, None

    def _judge(self, model: Any, inputs: dict[str, Any]) -> Score:
        """The score of one batch of validation rows, in as many parts as its logits need."""
        found = Score()
        for rows, positions in parts(inputs["labels"], vocabulary=self._vocabulary, most=MOST_LOGITS):
            part = {name: inputs[name][rows] for name in ("input_ids", "attention_mask", "labels")}
            logits, targets = self._answers(model, part, positions)
            chosen = targets != IGNORED
            loss = answer_loss(logits, targets, count=1)
            right = (logits.argmax(dim=-1) == targets)[chosen].sum()
            found += Score(float(loss), int(right), int(chosen.sum()))
        return found

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """As the library's; one that a stop cuts short is due when the run goes on."""
        self._run_state.look_due = False
        try:
            found: dict[str, float] = super().evaluate(*args, **kwargs)
        except LookCutShort:
            self._run_state.look_due = True
            self.control.should_evaluate = False
            self.control.should_save = self.control.should_training_stop = True
            return {}
        return found

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
        """As the library's, but the scores are means over answer tokens, not over batches of unlike size."""
        self._score = Score()
        output = super().evaluation_loop(*args, **kwargs)
        loss, right, count = together.summed([self._score.loss, self._score.right, self._score.count])
        output.metrics.update(eval_loss=loss / max(1, count), eval_accuracy=right / max(1, count))
        return output

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """As the library's; where the spec's learning rate is another than the checkpoint's, the spec's counts."""
        super()._load_optimizer_and_scheduler(checkpoint)
        schedule = self.lr_scheduler
        if checkpoint is None or schedule.base_lrs[0] == self.args.learning_rate:
            return
        ratio = self.args.learning_rate / schedule.base_lrs[0]
        schedule.base_lrs = [rate * ratio for rate in schedule.base_lrs]
        schedule._last_lr = [rate * ratio for rate in schedule._last_lr]
        for group in self.optimizer.param_groups:
            group["lr"], group["initial_lr"] = group["lr"] * ratio, group["initial_lr"] * ratio

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        folder, step = Path(self.args.output_dir), self.state.global_step
        path = checkpoint_path(folder, step)
        try:
            super()._save_checkpoint(model, trial)
            together.wait()  # for the random numbers of all
            self._run_state.seconds = round(self._earlier + seconds_of_process(), 1)
            if together.leads():
                seal(path, self._run_state)
        except (OSError, RuntimeError, SafetensorError) as error:
            if is_out_of_memory(error) or is_lost_company(error):
                raise
            shutil.rmtree(path, ignore_errors=True)  # the room that it took is needed to say so
            last, _ = take_newest(folder)
            raise checkpoint_failed(step, error, last.step if last else None) from error
        self._events.write("checkpoint", step=step, path=f"{folder.name}/{path.name}")
        if together.leads():
            self._events.write("kept", steps=rotate(folder))

    def create_model_card(self, *_args: Any, **_kwargs: Any) -> None:
        """Checkpoints carry no card; the finished model folder carries the project's own."""


class WithColumns:
    """A collator that also hands on each row's number and how much it counts, where rows say so."""

    def __init__(self, collate: Any) -> None:
        self._collate = collate

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        batch: dict[str, Any] = self._collate(examples)
        for name in (WEIGHT, NUMBER):
            if name in examples[0]:
                batch[name] = torch.tensor([example[name] for example in examples])
        return batch
