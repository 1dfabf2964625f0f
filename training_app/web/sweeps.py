"""A search for settings on its page: the best so far in words, trials against their losses, what each was given. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gptstudio.web.charts import LineChart, Tick, line_chart, number_text
from training_app import trials
from training_app.models import FineTuningJob, JobState, Study, StudyState
from training_app.web.forms import TITLES
from training_app.web.learning import Reading
from training_app.wording import in_words

LONGER = 2  # times as many passes, for one that is worth it
MOST_MARKS = 12
LUCK = (
    "It was chosen by these validation rows, so some of that is luck: what it is worth, the verdict of a fine-tune with its "
    "settings tells, on test rows."
)


@dataclass(frozen=True, slots=True)
class Line:
    """One trial. `loss` is its lowest validation loss, None where it failed; `is_behind`: it was stopped early."""

    run: FineTuningJob
    values: list[str]
    loss: float | None
    is_best: bool
    is_behind: bool

    @property
    def took(self) -> float | None:
        """Seconds of training, once it is over."""
        return (self.run.plan.get("usage") or {}).get("seconds")

    @property
    def longer(self) -> str:
        """The query for a run with the same settings and more passes or steps."""
        steps = self.run.hyperparameters.get("max_steps")
        name = "max_steps" if steps else "n_epochs"
        return f"from={self.run.id}&{name}={_plain(LONGER * self.run.hyperparameters[name])}"


def heads(study: Study) -> list[str]:
    """What the trials differ in, as people call it."""
    return [TITLES[name] for name in study.space]


def lines(
    study: Study, runs: Sequence[FineTuningJob], *, looks: Mapping[str, Sequence[float]], behind: set[str]
) -> list[Line]:
    """One a trial, in their order."""
    counts = {run.id: looks[run.id] if run.state != JobState.FAILED else () for run in runs}
    losses = {run.id: min(counts[run.id], default=None) for run in runs}
    best = best_of(runs, losses)
    return [
        Line(
            run=run,
            values=[_plain(run.requested.get(name)) for name in study.space],
            loss=losses[run.id],
            is_best=best is not None and run.id == best.id,
            is_behind=run.id in behind and run.state == JobState.CANCELLED,
        )
        for run in runs
    ]


def best_of(runs: Sequence[FineTuningJob], losses: Mapping[str, float | None]) -> FineTuningJob | None:
    """The trial of the lowest loss among those that were trained to their end."""
    done = [(loss, run) for run in runs if run.state == JobState.SUCCEEDED and (loss := losses[run.id]) is not None]
    return min(done, key=lambda each: each[0])[1] if done else None


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, int | float) else str(in_words(value))


def reading(study: Study, found: Sequence[Line]) -> Reading | None:
    """The best so far, against the settings that the search began with."""
    best = next((line for line in found if line.is_best), None)
    if best is None or best.loss is None:
        return None
    is_over = study.state != StudyState.RUNNING
    title = f"{'Best' if is_over else 'Best so far'}: trial {best.run.place}, with a validation loss of {number_text(best.loss)}."
    first = found[0]
    if best.run.place == 1:
        against = "These are the settings that it began with." if _is_start(study, first) else ""
    elif first.loss is not None and first.run.state == JobState.SUCCEEDED and _is_start(study, first):
        by = number_text(100 * (1 - best.loss / first.loss))
        against = f"That is {by} % less than with the settings that it began with."
    else:
        against = ""
    return Reading(title, f"{against} {LUCK}".strip(), "good" if is_over else "run")


def _is_start(study: Study, line: Line) -> bool:
    """Whether a trial had the settings that the search began with; the first one has, where they lie in the ranges."""
    asked = line.run.requested
    return all(asked.get(name) == trials.value_of(study.hyperparameters, name) for name in study.space)


def chart(study: Study, found: Sequence[Line], *, width: int) -> LineChart | None:
    """Each trial's loss as a dot, the lowest so far as a line."""
    known = [(line.run.place or 0, line.loss, line) for line in found if line.loss is not None]
    if not known:
        return None
    lowest, steps = float("inf"), list[tuple[float, float]]()
    for place, loss, line in known:
        if steps:
            steps.append((float(place), lowest))
        if line.run.state == JobState.SUCCEEDED and loss < lowest:
            lowest = loss
            steps.append((float(place), lowest))
    dots = [
        ((float(place), loss), 5 if line.is_behind else 1, f"Trial {place}: {number_text(loss)}")
        for place, loss, line in known
    ]
    every = -(-study.length // MOST_MARKS)
    marks = [Tick(float(place), f"{place}") for place in range(1, study.length + 1, every)]
    return line_chart(
        [("Lowest so far", steps)], x_end=study.length, width=width, numbers=(2,), x_marks=marks, dots=dots
    )
