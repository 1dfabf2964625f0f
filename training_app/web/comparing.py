"""Runs side by side: their curves in one chart, the settings that differ, their scores. Pure; it reads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gptstudio.web.charts import LineChart, line_chart, number_text
from gptstudio.web.wording import METRICS, lasting
from training_app.models import FineTuningJob
from training_app.selectors.curves import Point
from training_app.web.besting import LOSS
from training_app.web.curves import thinned
from training_app.web.forms import METHODS, PRESET_TITLES, TITLES, JobForm
from training_app.wording import in_words

MOST = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: a value a run, the best of them marked by its place."""

    title: str
    values: list[str]
    best: int | None = None
    term: str = ""


def chart(
    jobs: Sequence[FineTuningJob], points: Mapping[str, Sequence[Point]], *, of: str, width: int
) -> LineChart | None:
    """The same measurement of each run over its steps; `of` is a column of Point."""
    series = [(job.name, thinned(points[job.id], lambda point: getattr(point, of))) for job in jobs]
    return line_chart(series, x_unit="steps", width=width)


def differing(jobs: Sequence[FineTuningJob]) -> list[Line]:
    """Settings that are not the same in all runs, data and base model first, called as the form calls them."""
    shown = [_settings(job) for job in jobs]
    names = list(dict.fromkeys(name for each in shown for name in each))
    lines = [Line(title_of(name), [_text(each.get(name)) for each in shown]) for name in names]
    return [line for line in lines if len(set(line.values)) > 1]


def title_of(name: str) -> str:
    """A setting as the form calls it."""
    field = JobForm.base_fields.get(name)
    return TITLES.get(name) or (str(field.label) if field else name)


def _settings(job: FineTuningJob) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Data": str(job.version) if job.version else None,
        "Starts from": job.base_model.name,
        "Preset": PRESET_TITLES.get(job.preset, job.preset),
        "What learns": dict(METHODS).get(job.method, job.method),
    }
    for name, value in job.hyperparameters.items():
        inner = value if isinstance(value, dict) else None
        if inner is None:
            found[name] = value
        elif job.method != "full":
            found |= {f"{name}_{each}": one for each, one in inner.items()}
    return found


def _text(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if value is True:
        return "yes"
    return f"{value:g}" if isinstance(value, float) else str(in_words(value))


def results(
    jobs: Sequence[FineTuningJob], points: Mapping[str, Sequence[Point]], *, best: Mapping[str, int]
) -> list[Line]:
    """What came of each: lowest validation loss, scores on the test rows, how long training took. `best` says by score which
    run is better than the others by more than chance.
    """
    lowest = [
        min((point.validation_loss for point in points[job.id] if point.validation_loss is not None), default=None)
        for job in jobs
    ]
    scores = [_scores(job) for job in jobs]
    lines = [_scored("Lowest validation loss", lowest, best.get(LOSS), term="validation loss")]
    for key, (title, _direction) in METRICS.items():
        values = [each.get(key) for each in scores]
        if any(value is not None for value in values):
            lines.append(_scored(title, values, best.get(key), term=key))
    took = [(job.plan.get("usage") or {}).get("seconds") for job in jobs]
    if any(took):
        lines.append(Line("Training took", [lasting(seconds) for seconds in took]))
    return [line for line in lines if set(line.values) != {"–"}]


def _scores(job: FineTuningJob) -> dict[str, float | None]:
    evaluation = getattr(getattr(job, "model", None), "evaluation", None)
    return evaluation.tuned_scores if evaluation else {}


def _scored(title: str, values: Sequence[Any], best: int | None, *, term: str) -> Line:
    texts = [number_text(float(value)) if isinstance(value, int | float) else "–" for value in values]
    return Line(title, texts, best, term)
