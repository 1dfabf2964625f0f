"""Base and tuned model side by side on the test split. Decides nothing: it measures and writes evaluation.json."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch

from training_app.engine import breakdown
from training_app.engine.answer_length import answer_limit
from training_app.engine.classes import confusion
from training_app.engine.data import Row, build_examples, build_pairs, read_rows, sample_rows
from training_app.engine.device import pick_device, plan_inference
from training_app.engine.errors import EngineError
from training_app.engine.events import EventLog
from training_app.engine.generation import answer_chats
from training_app.engine.intervals import CONFIDENCE, RESAMPLES, compare
from training_app.engine.labels import SIGNATURE, Labelled, choose_labels, labelled_rows
from training_app.engine.model import (
    Speaker,
    context_of,
    count_parameters,
    load_speaker,
    load_tokenizer,
    read_config,
)
from training_app.engine.perplexity import answer_losses
from training_app.engine.reports import write_report
from training_app.engine.room import Room
from training_app.engine.rowfile import NAME, write_rows
from training_app.engine.scores import Scored, score_texts
from training_app.engine.spec import EvaluateSpec, ModelFolder
from training_app.engine.stopping import StopRequest
from training_app.engine.sums import Numbers
from training_app.engine.templates import Message
from training_app.engine.words import count_words

METHOD = (
    "paired bootstrap over groups of rows that belong together, percentiles expanded for few groups; one interval a score, "
    "not corrected for several"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A test row's last answer and all that comes before it."""

    row: Row
    before: list[Message]
    reference: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One model's scores, the answers they were taken from, which of these were cut, and the labels that it holds likeliest,
    by place.
    """

    scored: Scored
    answers: list[str]
    cut: list[bool]
    chosen: dict[int, str]
    nats: list[float]

    @property
    def statistics(self) -> dict[str, Numbers]:
        """What each row brought to each score; rows that were not classified bring nothing to accuracy."""
        found = {}
        for name, rows in self.scored.rows.items():
            values = np.asarray(rows, dtype=float)
            if len(values) != len(self.answers):
                whole = np.zeros((len(self.answers), values.shape[1]))
                whole[list(self.chosen)] = values
                values = whole
            found[name] = values
        return found


def evaluate(spec: EvaluateSpec, events: EventLog, stop: StopRequest) -> None:
    """Score both models and write `<run>/evaluation.json` and its rows. EngineError, or RunStopped between batches."""
    began = time.monotonic()
    device = pick_device(spec.common.device, spec.common.threads)
    events.write("started", pid=os.getpid(), device=spec.common.device, threads=spec.common.threads, resumed_from=None)
    rows = sample_rows(read_rows(spec.test), limit=spec.max_rows, seed=spec.seed)
    questions = [question for row in rows if (question := last_question(row)) is not None]
    if not questions:
        raise EngineError(
            "nothing_to_evaluate",
            "None of the test rows has an answer to compare with.",
            fix="Choose a version whose test split has rows with assistant turns.",
        )
    if len(questions) < len(rows):
        events.notice(f"{len(rows) - len(questions)} test rows have no answer and are left out.", level="warning")
    spec = replace(spec, max_new_tokens=_answer_limit(spec, questions))
    labelled = labelled_rows([question.row for question in questions], spec.labels)
    if labelled is not None and labelled.note:
        events.notice(labelled.note)
    pairs = sum(question.row.rejected is not None for question in questions)
    steps = 2 * len(questions) + 2 * pairs + (len(labelled.places) if labelled else 0)
    advance = progress_events(events, stop, total=2 * steps)
    room = Room(spec.batch_share, tell=partial(events.notice, level="warning"))
    base = _measure(spec, spec.base_model, device, room, questions, labelled, advance)
    tuned = _measure(spec, spec.tuned_model, device, room, questions, labelled, advance)
    report = _report(spec, questions, labelled, base, tuned)
    write_report(spec.common.run / "evaluation.json", report | {"seconds": round(time.monotonic() - began, 2)})
    events.write("evaluation", base=report["base"], tuned=report["tuned"])
    events.write("saved", path="evaluation.json")
    events.write("finished", reason="completed", rows=len(questions))


def last_question(row: Row) -> Question | None:
    """The row's last assistant turn as the reference, with the turns before it; None when it has no such turn."""
    for index in range(len(row.messages) - 1, 0, -1):
        if row.messages[index]["role"] == "assistant":
            return Question(row=row, before=row.messages[:index], reference=row.messages[index]["content"])
    return None


def _answer_limit(spec: EvaluateSpec, questions: Sequence[Question]) -> int:
    """The same for both models, for they share tokenizer and context."""
    folder = spec.base_model
    texts = [question.reference for question in questions]
    lengths = [len(ids) for ids in load_tokenizer(folder.path)(texts, add_special_tokens=False)["input_ids"]]
    return answer_limit(lengths, context=context_of(read_config(folder.whole)), most=spec.max_new_tokens)


def _measure(
    spec: EvaluateSpec,
    folder: ModelFolder,
    device: torch.device,
    room: Room,
    questions: Sequence[Question],
    labelled: Labelled | None,
    advance: Callable[[int], None],
) -> Measured:
    speaker = load_for_answers(folder, device, room)
    losses = _losses(speaker, [question.row for question in questions], advance)
    answers = answer_chats(
        speaker,
        [question.before for question in questions],
        max_new_tokens=spec.max_new_tokens,
        on_progress=advance,
    )
    texts = [answer.text for answer in answers]
    scored = score_texts(texts, [question.reference for question in questions])
    scored.take("perplexity", [nats for nats, _ in losses], [float(tokens) for _, tokens in losses])
    scored.signatures["perplexity"] += f"|{str(speaker.model.dtype).removeprefix('torch.')}"
    if any(question.row.rejected is not None for question in questions):
        both = _losses_of_pairs(speaker, [question.row for question in questions], advance)
        scored.take("preference", [preferred for preferred, _ in both], [other for _, other in both])
    cut = [answer.is_cut for answer in answers]
    scored.scores |= {"empty": sum(not text for text in texts), "cut": sum(cut)}
    chosen: dict[int, str] = {}
    if labelled is not None and labelled.places:
        asked = [questions[place].before for place in labelled.places]
        said = choose_labels(speaker, asked, labelled.labels, on_progress=advance)
        scored.take("classification", said, labelled.truths, labels=list(labelled.labels))
        scored.signatures["classification"] = f"{SIGNATURE}|{scored.signatures['classification']}"
        chosen = dict(zip(labelled.places, said, strict=True))
    return Measured(scored, texts, cut, chosen, [nats / max(1, tokens) for nats, tokens in losses])


def _losses(speaker: Speaker, rows: Sequence[Row], advance: Callable[[int], None]) -> list[tuple[float, int]]:
    """Row by row, also where a row has nothing to learn once it is cut to the model's context."""
    built = [
        build_examples([row], speaker.tokenizer, speaker.stop_tokens, max_length=speaker.context).items for row in rows
    ]
    found = iter(answer_losses(speaker, [items[0] for items in built if items], on_progress=advance))
    if empty := sum(not items for items in built):
        advance(empty)
    return [next(found) if items else (0.0, 0) for items in built]


def _losses_of_pairs(
    speaker: Speaker, rows: Sequence[Row], advance: Callable[[int], None]
) -> list[tuple[float, float]]:
    """What both answers of each row lose; zeros where a row has one answer, the same twice, or none once it is cut."""
    built = [
        build_pairs([row], speaker.tokenizer, speaker.stop_tokens, max_length=speaker.context).items for row in rows
    ]
    answers = [answer for items in built for pair in items for answer in (pair.preferred, pair.other)]
    found = iter(nats for nats, _ in answer_losses(speaker, answers, on_progress=advance))
    if unfit := 2 * sum(row.rejected is not None for row in rows) - len(answers):
        advance(unfit)
    return [(next(found), next(found)) if items else (0.0, 0.0) for items in built]


def _report(
    spec: EvaluateSpec, questions: Sequence[Question], labelled: Labelled | None, base: Measured, tuned: Measured
) -> dict[str, Any]:
    rows = [question.row for question in questions]
    first, second = base.statistics, tuned.statistics
    label_rows = labelled.fitting if labelled and labelled.places else 0
    learned_pairs = spec.objective == "dpo" and base.scored.scores.get("preference") is not None
    name = breakdown.headline(
        [each.reference for each in questions], label_rows=label_rows, learned_pairs=learned_pairs
    )
    groups = [row.group or f"alone {place}" for place, row in enumerate(rows)]
    words = [count_words(question.before[-1]["content"]) for question in questions]
    digest = write_rows(
        spec.common.run / NAME,
        [
            {
                "row_id": question.row.row_id,
                "file": question.row.file,
                "row": question.row.row,
                "label": question.row.label,
                "group": question.row.group,
                "before": question.before,
                "reference": question.reference,
                "base": base.answers[place],
                "tuned": tuned.answers[place],
                "base_cut": base.cut[place],
                "tuned_cut": tuned.cut[place],
                "base_label": base.chosen.get(place),
                "tuned_label": tuned.chosen.get(place),
            }
            for place, question in enumerate(questions)
        ],
        {"base": first, "tuned": second},
    )
    found = compare(first, second, seed=spec.seed, groups=groups)
    return {
        "version": 2,
        "rows": len(questions),
        "rows_file": {"name": NAME, "sha256": digest},
        "decoding": {"strategy": "greedy", "max_new_tokens": spec.max_new_tokens},
        "signatures": tuned.scored.signatures,
        "base": base.scored.scores,
        "tuned": tuned.scored.scores,
        "headline": name,
        "intervals": {metric: each.as_json() for metric, each in found.items() if each.rows},
        "interval": {"method": METHOD, "confidence": CONFIDENCE, "resamples": RESAMPLES, "seed": spec.seed},
        "labels": confusion(labelled, base.chosen, tuned.chosen) if labelled else None,
        "classes": breakdown.by_class(rows, name, first[name], second[name], groups=groups, seed=spec.seed),
        "lengths": breakdown.by_length(words, name, first[name], second[name], groups=groups, seed=spec.seed),
        "reading": breakdown.rows_to_read(first[name], second[name], tuned.nats, seed=spec.seed),
    }


def load_for_answers(folder: ModelFolder, device: torch.device, room: Room) -> Speaker:
    """A model ready to answer, in the number format that suits its size and the machine."""
    parameters = count_parameters(folder.whole)
    speaker = load_speaker(folder, dtype=plan_inference(device, parameters=parameters), device=device)
    speaker.model.eval()
    return replace(speaker, room=room)


def progress_events(events: EventLog, stop: StopRequest, *, total: int) -> Callable[[int], None]:
    """A function that counts finished rows into progress events, and leaves with RunStopped when asked to stop."""
    done = 0

    def advance(rows: int) -> None:
        nonlocal done
        done += rows
        events.write("progress", done=min(done, total), total=total)
        stop.check()

    return advance
