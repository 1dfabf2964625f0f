"""From the splits of a version to what a trainer takes, saying what was lost on the way. Knows no trainer."""

from __future__ import annotations

from pathlib import Path

from training_app.engine.data import Example, Examples, Pair, build_examples, build_pairs, read_rows
from training_app.engine.errors import EngineError
from training_app.engine.events import EventLog
from training_app.engine.model import Speaker
from training_app.engine.shares import share_of
from training_app.engine.spec import TrainSpec

Split = Examples[Example] | Examples[Pair]


def prepare_data(spec: TrainSpec, speaker: Speaker, events: EventLog) -> tuple[Split, Split | None]:
    """Training and validation split. EngineError `nothing_to_learn` where no training row teaches anything."""
    limit = min(spec.hyperparameters.max_length, speaker.context)
    learn = _split(spec.train, spec, speaker, limit)
    _tell(learn, "training", spec, limit, events)
    if not learn.items:
        raise _nothing(spec, limit)
    batch = spec.hyperparameters.batch_size
    if batch > len(learn.items):
        events.notice(
            f"A batch of {batch:,} rows is larger than the data ({len(learn.items):,} rows): each step sees all of it.",
            level="warning",
        )
    validate = None
    if spec.validation is not None and spec.validation.exists():
        validate = _split(spec.validation, spec, speaker, limit, learns=False)
        _tell(validate, "validation", spec, limit, events)
    if validate is None or not validate.items:
        events.notice(
            "There are no validation rows, so there is no validation loss and no early stopping; "
            "the last weights are kept.",
            level="warning",
        )
        return learn, None
    if len(validate.items) == 1:
        events.notice(
            "There is a single validation row: its loss says little about others, and which step is best is chance.",
            level="warning",
        )
    return learn, validate


def _split(path: Path, spec: TrainSpec, speaker: Speaker, limit: int, *, learns: bool = True) -> Split:
    rows = read_rows(path)
    if learns and spec.train_share < 1.0:
        rows = share_of(rows, share=spec.train_share, seed=spec.hyperparameters.seed)
    if spec.hyperparameters.objective == "dpo":
        return build_pairs(rows, speaker.tokenizer, speaker.stop_tokens, max_length=limit)
    weights = spec.class_weights if learns else None
    return build_examples(rows, speaker.tokenizer, speaker.stop_tokens, max_length=limit, weights=weights)


def _nothing(spec: TrainSpec, limit: int) -> EngineError:
    if spec.hyperparameters.objective == "dpo":
        return EngineError(
            "nothing_to_learn",
            f"None of the training rows has two different answers that fit into {limit} tokens.",
            fix="Learning from preferences needs rows with a preferred and another answer; choose such a version, "
            "learn from answers instead, or raise the maximum length.",
        )
    return EngineError(
        "nothing_to_learn",
        f"None of the training rows has an answer that fits into {limit} tokens.",
        fix="Check that the data set has assistant turns, or raise the maximum length.",
    )


def _tell(found: Split, split: str, spec: TrainSpec, limit: int, events: EventLog) -> None:
    if found.truncated:
        events.notice(f"{found.truncated} {split} rows were cut at {limit} tokens.", level="warning")
    if found.nothing_to_learn:
        hold = "do not hold two different answers" if spec.hyperparameters.objective == "dpo" else "hold no answer"
        events.notice(
            f"{found.nothing_to_learn} {split} rows {hold} within {limit} tokens and are left out.",
            level="warning",
        )
