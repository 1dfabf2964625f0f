"""Base and tuned model side by side on the test split. Decides nothing: it measures and writes evaluation.json."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from training_app.engine.data import Row, build_examples, read_rows, sample_rows
from training_app.engine.device import pick_device, plan_inference
from training_app.engine.errors import EngineError
from training_app.engine.events import EventLog
from training_app.engine.generation import answer_chats
from training_app.engine.model import Speaker, count_parameters, load_speaker
from training_app.engine.perplexity import answer_perplexity
from training_app.engine.reports import write_report
from training_app.engine.scores import score_texts
from training_app.engine.spec import EvaluateSpec, ModelFolder
from training_app.engine.stopping import StopRequest
from training_app.engine.templates import Message

SAMPLES = 20


@dataclass(frozen=True, slots=True)
class Question:
    """A test row's last answer and all that comes before it."""

    row_id: int
    before: list[Message]
    reference: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One model's scores and the answers they were taken from."""

    scores: dict[str, float | int | None]
    signatures: dict[str, str]
    answers: list[str]


def evaluate(spec: EvaluateSpec, events: EventLog, stop: StopRequest) -> None:
    """Score both models and write `<run>/evaluation.json`. Raises EngineError, or RunStopped between batches."""
    began = time.monotonic()
    device = pick_device(spec.common.device, spec.common.threads)
    events.write("started", pid=os.getpid(), device=spec.common.device, threads=spec.common.threads, resumed_from=None)
    rows = sample_rows(read_rows(spec.test), limit=spec.max_rows, seed=spec.seed)
    questions = [question for row in rows if (question := last_question(row)) is not None]
    if not questions:
        raise EngineError(
            "nothing_to_evaluate",
            f"No row of {spec.test.name} has an answer to compare with.",
            fix="Choose a version whose test split has rows with assistant turns.",
        )
    if len(questions) < len(rows):
        events.notice(f"{len(rows) - len(questions)} test rows have no answer and are left out.", level="warning")
    advance = progress_events(events, stop, total=4 * len(rows))
    base = _measure(spec, spec.base_model, device, rows, questions, advance)
    tuned = _measure(spec, spec.tuned_model, device, rows, questions, advance)
    write_report(
        spec.common.run / "evaluation.json",
        {
            "version": 1,
            "rows": len(questions),
            "decoding": {"strategy": "greedy", "max_new_tokens": spec.max_new_tokens},
            "signatures": tuned.signatures,
            "base": base.scores,
            "tuned": tuned.scores,
            "samples": _samples(questions, base.answers, tuned.answers),
            "seconds": round(time.monotonic() - began, 2),
        },
    )
    events.write("evaluation", base=base.scores, tuned=tuned.scores)
    events.write("saved", path="evaluation.json")
    events.write("finished", reason="completed", rows=len(questions))


def last_question(row: Row) -> Question | None:
    """The row's last assistant turn as the reference, with the turns before it; None when it has no such turn."""
    for index in range(len(row.messages) - 1, 0, -1):
        if row.messages[index]["role"] == "assistant":
            return Question(row_id=row.row_id, before=row.messages[:index], reference=row.messages[index]["content"])
    return None


def _measure(
    spec: EvaluateSpec,
    folder: ModelFolder,
    device: torch.device,
    rows: Sequence[Row],
    questions: Sequence[Question],
    advance: Callable[[int], None],
) -> Measured:
    speaker = load_for_answers(folder, device)
    examples = build_examples(rows, speaker.tokenizer, speaker.stop_tokens, max_length=speaker.context)
    perplexity = answer_perplexity(speaker, examples.items, on_progress=advance)
    answers = answer_chats(
        speaker,
        [question.before for question in questions],
        max_new_tokens=spec.max_new_tokens,
        on_progress=advance,
    )
    texts = [answer.text for answer in answers]
    scores, signatures = score_texts(texts, [question.reference for question in questions])
    signatures["perplexity"] = f"answer tokens|weight per token|{str(speaker.model.dtype).removeprefix('torch.')}"
    empty = sum(not text for text in texts)
    return Measured(scores={"perplexity": perplexity, **scores, "empty": empty}, signatures=signatures, answers=texts)


def load_for_answers(folder: ModelFolder, device: torch.device) -> Speaker:
    """A model ready to answer, in the number format that suits its size and the machine."""
    parameters = count_parameters(folder.base_path or folder.path)
    speaker = load_speaker(folder, dtype=plan_inference(device, parameters=parameters), device=device)
    speaker.model.eval()
    return speaker


def progress_events(events: EventLog, stop: StopRequest, *, total: int) -> Callable[[int], None]:
    """A function that counts finished rows into progress events, and leaves with RunStopped when asked to stop."""
    done = 0

    def advance(rows: int) -> None:
        nonlocal done
        done += rows
        events.write("progress", done=min(done, total), total=total)
        stop.check()

    return advance


def _samples(questions: Sequence[Question], base: Sequence[str], tuned: Sequence[str]) -> list[dict[str, Any]]:
    step = max(1, len(questions) // SAMPLES)
    return [
        {
            "row_id": questions[index].row_id,
            "prompt": questions[index].before[-1]["content"],
            "reference": questions[index].reference,
            "base": base[index],
            "tuned": tuned[index],
        }
        for index in range(0, len(questions), step)
    ][:SAMPLES]
