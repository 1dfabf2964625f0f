"""A run's life as events, and when it evaluates, saves and stops. Knows no model and no batch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training_app.engine import together
from training_app.engine.batching import LengthPools
from training_app.engine.checkpoints import RunState
from training_app.engine.errors import LookCutShort, NothingLeft
from training_app.engine.events import EventLog
from training_app.engine.failures import loss_not_finite
from training_app.engine.stopping import StopRequest

# A run is saved by its own steps, and besides whenever so long has passed: more than that no death of a machine costs.
SAVE_SECONDS = 600.0


class Watch(TrainerCallback):  # type: ignore[misc]
    """Turns the trainer's life into events, and decides when to evaluate, save and stop."""

    def __init__(
        self,
        *,
        run_state: RunState,
        events: EventLog,
        stop: StopRequest,
        order: LengthPools,
        metric: str,
        patience: int,
        min_delta: float,
        plan: dict[str, Any],
    ) -> None:
        self._run_state = run_state
        self._events = events
        self._stop = stop
        self._order = order
        self._metric = metric
        self._patience = patience
        self._min_delta = min_delta
        self._plan = plan
        self._began = self._last_time = time.monotonic()
        self._began_step = self._last_tokens = 0
        self._stepped = self._saved = self._began
        self._was_away = False

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """State the plan, now that the number of steps is known."""
        self._events.write("plan", steps=state.max_steps, **self._plan)
        self._began = self._last_time = self._saved = time.monotonic()
        self._began_step, self._last_tokens = state.global_step, state.num_input_tokens_seen

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Tell the sampler its epoch; after a resume the library's own way does not reach a wrapped sampler."""
        self._order.set_epoch(math.floor((state.epoch or 0.0) + 1e-6))

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Looks at the validation rows and checkpoints do not count as slow steps."""
        if self._was_away:
            self._last_time += time.monotonic() - self._stepped
            self._was_away = False

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """See `on_step_begin`; and from here the time to the next one counts."""
        self._was_away = True
        self._saved = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Let the last step compete with the best one; save after a while, and before a stop that was asked for."""
        self._stepped = time.monotonic()
        if state.global_step >= state.max_steps:
            control.should_log = True
            control.should_save = True
            control.should_evaluate = args.eval_strategy != "no"
        if together.any_of(time.monotonic() - self._saved > SAVE_SECONDS):
            control.should_save = True
        if self._is_to_stop():
            control.should_save = control.should_training_stop = True

    def _is_to_stop(self) -> bool:
        """Whether any process of the run was asked: all stop at the same step or none does."""
        is_to = together.any_of(self._stop.requested)
        self._stop.requested |= is_to
        return is_to

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Who asks for a stop does not wait for the end of a look."""
        if self._is_to_stop():
            raise LookCutShort

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metrics: dict[str, float], **_: Any
    ) -> None:
        """Record the validation scores; keep the best weights; stop when patience has run out."""
        self._was_away = True
        loss, accuracy = float(metrics["eval_loss"]), float(metrics["eval_accuracy"])
        self._events.write(
            "evaluation", step=state.global_step, epoch=round(state.epoch or 0.0, 4), loss=loss, accuracy=accuracy
        )
        if not math.isfinite(loss):
            raise loss_not_finite(state.global_step, "validation loss")
        score = loss if self._metric == "loss" else -accuracy
        if self._run_state.observe(state.global_step, loss, score=score, min_delta=self._min_delta):
            control.should_save = True
        if self._patience and self._run_state.patience_used >= self._patience:
            self._run_state.stopped_early = state.global_step < state.max_steps
            control.should_save = control.should_training_stop = True
        if self._is_to_stop():
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


class DueLook(TrainerCallback):  # type: ignore[misc]
    """Takes the look that a stop cut short before the first step of the start that goes on. NothingLeft where that was the
    last step, or patience has run out with it.
    """

    def __init__(self, look: Callable[[], object]) -> None:
        self._look = look

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """The checkpoint's random numbers are put back after this."""
        self._look()
        if control.should_training_stop or state.global_step >= state.max_steps:
            raise NothingLeft
