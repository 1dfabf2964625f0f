"""The ways in which a training breaks off, as sentences. Knows no trainer."""

from __future__ import annotations

from collections.abc import Sequence

from training_app.engine.errors import EngineError

NAMED_ROWS = 5


def loss_not_finite(step: int, what: str, places: Sequence[str] = ()) -> EngineError:
    """The failure of a run whose loss or gradient is no number any more, with the rows that it was looking at."""
    rows = ""
    if places:
        more = f" and {len(places) - NAMED_ROWS:,} more" if len(places) > NAMED_ROWS else ""
        rows = f" It was looking at {'; '.join(places[:NAMED_ROWS])}{more}."
    return EngineError(
        "loss_not_finite",
        f"The {what} stopped being a number at step {step}, so the weights can no longer be trusted.{rows}",
        fix="Go on from the last checkpoint, which is sound, with a lower learning rate (a tenth of this one); "
        "if it stops there again, look at these rows.",
        step=step,
        rows=list(places),
    )


def checkpoint_failed(step: int, error: Exception, last: int | None) -> EngineError:
    """The failure of a run that could not save."""
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    sound = f"The checkpoint of step {last} is sound" if last else "There is no earlier checkpoint"
    on = f"and it goes on from step {last}" if last else "and it begins again"
    return EngineError(
        "checkpoint_failed",
        f"The checkpoint of step {step} could not be written: {first_line}. {sound}.",
        fix=f"Free disk space for the studio, then resume the run: nothing else is wrong with it, {on}.",
        step=step,
    )
