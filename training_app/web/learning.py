"""How a run learned, in a sentence: best where, still falling, learning by heart. Pure; it reads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training_app.selectors.curves import Point

HARDLY = 0.05  # of the first training loss
RISEN = 0.02  # of the lowest validation loss
STILL = 0.03  # of all that the validation loss fell, between its last two looks

Series = list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Reading:
    """`tone` is good, warn or plain."""

    title: str
    detail: str
    tone: str


def reading(points: Sequence[Point], *, reason: str, is_busy: bool, kept: int | None = None) -> Reading | None:
    """What the curves say. `reason` is why training ended, empty while it runs or where it broke off; `kept` is the step
    whose weights are the model, which need not be that of the lowest loss where the run looked at something else."""
    losses = [(point.step, point.loss) for point in points if point.loss is not None]
    looks = [(point.step, point.validation_loss) for point in points if point.validation_loss is not None]
    if not losses:
        return None
    if len(looks) < 2:
        return _unwatched(looks, is_over=bool(reason))
    best, lowest = min(looks, key=lambda each: each[1])
    last, newest = looks[-1]
    if reason == "early_stopping":
        return _stopped(last, best=best if kept is None else kept, lowest=best)
    if newest > lowest * (1 + RISEN) and _fell(losses, since=best):
        return _by_heart(best, kept=best if kept is None else kept, is_over=bool(reason))
    if _hardly_moved(losses) and looks[0][1] - lowest < HARDLY * looks[0][1]:
        return Reading(
            "It hardly learned.",
            "The training loss is about where it began: try a larger learning rate, or more passes over the data.",
            "warn",
        )
    if best == last and looks[-2][1] - newest > STILL * max(looks[0][1] - newest, 1e-12):
        return _still_falling(is_over=bool(reason))
    if is_busy and not reason:
        return Reading(f"Lowest loss so far at step {best:,}.", "The validation loss is levelling off.", "plain")
    return Reading(
        f"Lowest loss at step {best:,}.", "The validation loss has levelled off: more passes would add little.", "good"
    )


def _stopped(last: int, *, best: int, lowest: int) -> Reading:
    other = f" The validation loss was lowest at step {lowest:,}." if lowest != best else ""
    return Reading(
        f"Best at step {best:,}; stopped {last - best:,} steps later.",
        f"Nothing got better after that. The weights of the best step are the model.{other}",
        "good",
    )


def _unwatched(looks: Series, *, is_over: bool) -> Reading | None:
    if not is_over:
        return None
    if looks:
        return Reading("Too short to judge.", "The validation rows were looked at only once.", "plain")
    return Reading(
        "Nobody watched for learning by heart.",
        "There were no validation rows; the last weights are the model.",
        "warn",
    )


def _by_heart(best: int, *, kept: int, is_over: bool) -> Reading:
    become = "are the model" if is_over else "are kept, and become the model unless it gets better again"
    return Reading(
        f"Validation rises while training falls, since step {best:,}.",
        f"From there it begins to learn by heart. The weights of step {kept:,} {become}.",
        "warn",
    )


def _still_falling(*, is_over: bool) -> Reading:
    if is_over:
        return Reading(
            "Still falling when it ended: train longer.",
            "The last look at the validation rows was the best by far; more passes will likely help.",
            "warn",
        )
    return Reading("It is getting better.", "The validation loss falls from look to look.", "plain")


def _fell(losses: Series, *, since: int) -> bool:
    """Whether the training loss is lower now than around a step."""
    before = [loss for step, loss in losses if step <= since][-3:]
    after = [loss for step, loss in losses if step > since][-3:]
    return bool(before and after) and sum(after) / len(after) < sum(before) / len(before)


def _hardly_moved(losses: Series) -> bool:
    few = max(1, len(losses) // 10)
    first = sum(loss for _, loss in losses[:few]) / few
    last = sum(loss for _, loss in losses[-few:]) / few
    return len(losses) > 2 and first - last < HARDLY * first
