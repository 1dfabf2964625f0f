"""Sample answers while a run learns: the same few validation questions at each evaluation. Decides nothing in the run.

Greedy, short, and never more than a small share of the run's time. Random numbers stay as they were, so a run ends with
the same weights with and without its samples.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training_app.engine.data import Row
from training_app.engine.errors import EngineError
from training_app.engine.events import EventLog
from training_app.engine.generation import continue_texts
from training_app.engine.looks import folder_of
from training_app.engine.model import Speaker
from training_app.engine.ornaments import as_notice
from training_app.engine.reports import write_report
from training_app.engine.templates import render_prompt

QUESTIONS, ANSWER_TOKENS = 3, 48
SHARE = 0.03  # of the time since training began; the first look is always taken


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt, and the place of its row in the validation split."""

    place: int
    prompt: str


def questions_of(speaker: Speaker, rows: Sequence[Row]) -> list[Question]:
    """A few rows from all over the split, each up to its last answer."""
    found = []
    for place in _spread(len(rows)):
        messages = rows[place].messages
        last = max((index for index, each in enumerate(messages) if each["role"] == "assistant"), default=0)
        if not last:
            continue
        try:
            found.append(Question(place, render_prompt(speaker.tokenizer, messages[:last])))
        except EngineError:  # a row may be learned from and yet begin in a way that its template never asks
            continue
    return found


def _spread(count: int) -> list[int]:
    return sorted({count * (2 * index + 1) // (2 * QUESTIONS) for index in range(QUESTIONS)}) if count else []


class Samples(TrainerCallback):  # type: ignore[misc]
    """Has the model answer at evaluations, and says so in a `sample` event."""

    def __init__(
        self, speaker: Speaker, questions: Sequence[Question], *, run: Path, events: EventLog, autocast: bool
    ) -> None:
        self._speaker = speaker
        self._questions = list(questions)
        self._run = run
        self._events = events
        self._autocast = autocast
        self._began = time.monotonic()
        self._spent = 0.0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Time counts from here."""
        self._began = time.monotonic()

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **_: Any
    ) -> None:
        """Answer, unless answering has taken its share of the time already."""
        began = time.monotonic()
        too_much = self._spent > SHARE * (began - self._began)
        if not self._questions or too_much or not state.is_world_process_zero:
            return
        with as_notice(self._events, f"Sample answers at step {state.global_step:,}"):
            self._ask(model, state.global_step)
        self._spent += time.monotonic() - began

    def _ask(self, model: Any, step: int) -> None:
        answers = self._answers(model)
        path = folder_of(self._run) / f"sample-{step}.json"
        said = [{"place": each.place, "answer": text} for each, text in zip(self._questions, answers, strict=True)]
        write_report(path, {"version": 1, "step": step, "answers": said})
        self._events.write("sample", step=step, path=f"{path.parent.name}/{path.name}")

    def _answers(self, model: Any) -> list[str]:
        was_training = model.training
        model.eval()
        device = torch.device(model.device)
        try:
            with torch.random.fork_rng(), torch.autocast(device.type, torch.bfloat16, enabled=self._autocast):
                found = continue_texts(
                    replace(self._speaker, model=model),
                    [each.prompt for each in self._questions],
                    max_new_tokens=ANSWER_TOKENS,
                    on_progress=lambda _rows: None,
                )
        finally:
            model.train(was_training)
        return [each.text for each in found]
