"""What it will take to compare a run's model with what it starts from and to check it, by a few answers of the latter.

Training rows stand in for test rows, which nobody looks at before the end. Knows no plan and no number of test rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

import torch

from training_app.engine.answer_length import answer_limit
from training_app.engine.data import build_examples, read_rows, sample_rows
from training_app.engine.evaluate import Question, last_question, load_for_answers
from training_app.engine.generation import MOST_ROWS_PER_BATCH, answer_chats
from training_app.engine.labels import MOST_PAIRS, choose_labels, labelled_rows
from training_app.engine.model import Speaker
from training_app.engine.perplexity import answer_losses
from training_app.engine.room import Room
from training_app.engine.spec import TrainSpec

LOOKED_AT = 256  # rows whose answers say how long answers may get
FEW, CLASSIFIED = 8, 2  # rows of a first try; rows that choose among all labels
TOKENS = 16  # are written by a batch; each further one takes about as long
BUDGET_SECONDS = 10.0  # for a whole batch; a larger model is measured by a few rows
MOST_TOKENS = 512  # of an answer, as the studio has it

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Judging:
    """Seconds: to load a model, to measure the loss of a row, to read a batch of questions, to write one more token for all
    of it, to classify a row (0 where nothing is). `answer_tokens` are the most of an answer, `label_rows` those classified.
    """

    load_seconds: float
    row_seconds: float
    prompt_seconds: float
    token_seconds: float
    label_seconds: float
    answer_tokens: int
    label_rows: int


def judging_times(spec: TrainSpec, device: torch.device) -> dict[str, float]:
    """One Judging of the model that the run starts from, as JSON has it; empty where no row has an answer."""
    load_seconds, speaker = _timed(lambda: load_for_answers(spec.base_model, device, Room()))
    rows = sample_rows(read_rows(spec.train), limit=LOOKED_AT, seed=spec.hyperparameters.seed)
    asked = [question for row in rows if (question := last_question(row)) is not None]
    if not asked:
        return {}
    texts = [question.reference for question in asked]
    lengths = [len(ids) for ids in speaker.tokenizer(texts, add_special_tokens=False)["input_ids"]]
    _write(speaker, asked[:FEW], 2)  # the first call of all takes longer
    few, _ = _timed(lambda: _write(speaker, asked[:FEW], TOKENS))
    is_quick = few * MOST_ROWS_PER_BATCH / FEW <= BUDGET_SECONDS
    batch = asked[:MOST_ROWS_PER_BATCH] if is_quick else asked[:FEW]
    share = MOST_ROWS_PER_BATCH / len(batch)
    prompt, _ = _timed(lambda: _write(speaker, batch, 1))
    written, tokens = _timed(lambda: _write(speaker, batch, TOKENS))
    label_seconds, label_rows = _classified(speaker, asked)
    found = Judging(
        load_seconds=load_seconds,
        row_seconds=_loss_of_row(speaker, batch),
        prompt_seconds=prompt * share,
        token_seconds=max(0.0, written - prompt) / (tokens - 1) * share if tokens > 1 else prompt * share,
        label_seconds=label_seconds,
        answer_tokens=answer_limit(lengths, context=speaker.context, most=MOST_TOKENS),
        label_rows=label_rows,
    )
    return {name: round(value, 6) for name, value in asdict(found).items()}


def _write(speaker: Speaker, asked: Sequence[Question], tokens: int) -> int:
    """Have all answer at once; how many tokens that took one after another."""
    chats = [question.before for question in asked]
    answers = answer_chats(speaker, chats, max_new_tokens=tokens, on_progress=_silent)
    return max(len(answer.token_ids) + (not answer.is_cut) for answer in answers)


def _loss_of_row(speaker: Speaker, asked: Sequence[Question]) -> float:
    """Of rows with two answers both are measured beside the row itself."""
    rows = [question.row for question in asked]
    built = build_examples(rows, speaker.tokenizer, speaker.stop_tokens, max_length=speaker.context)
    seconds, _ = _timed(lambda: answer_losses(speaker, built.items, on_progress=_silent))
    return seconds / len(asked) * (3 if any(row.rejected is not None for row in rows) else 1)


def _classified(speaker: Speaker, asked: Sequence[Question]) -> tuple[float, int]:
    """Seconds to classify a row, and how many rows are at most; zeros where answers are no labels."""
    labelled = labelled_rows([question.row for question in asked], ())
    if labelled is None or not labelled.places:
        return 0.0, 0
    chats = [asked[place].before for place in labelled.places[:CLASSIFIED]]
    seconds, _ = _timed(lambda: choose_labels(speaker, chats, labelled.labels, on_progress=_silent))
    return seconds / len(chats), MOST_PAIRS // len(labelled.labels)


def _timed(work: Callable[[], Found]) -> tuple[float, Found]:
    began = time.monotonic()
    found = work()
    return time.monotonic() - began, found


def _silent(_rows: int) -> None:
    """Nobody waits to be told."""
