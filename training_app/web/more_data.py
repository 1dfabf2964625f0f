"""A learning curve on its page: whether more rows would help in words, the losses as a chart and a table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gptstudio.web.charts import LineChart, Tick, line_chart, number_text
from training_app import gains
from training_app.models import FineTuningJob, Study
from training_app.verdict_wording import signed
from training_app.web.learning import Reading

TITLES = {
    gains.HELPS: ("More rows would probably help.", "good"),
    gains.LITTLE_MORE: ("More rows would probably help, but little.", "good"),
    gains.ENOUGH: ("More of the same rows would probably not help.", "plain"),
    gains.UNCLEAR: ("It cannot be told whether more rows would help.", "warn"),
    gains.HARMS: ("More of the same rows would probably not help.", "warn"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One share of the rows: its run (None before it has begun), rows, loss, and how that changed from the share before."""

    share: float
    run: FineTuningJob | None
    rows: int | None
    loss: float | None
    change: str = ""
    between: str = ""
    said: str = ""

    @property
    def took(self) -> float | None:
        """Seconds of training, once it is over."""
        return (self.run.plan.get("usage") or {}).get("seconds") if self.run else None


def reading(result: dict[str, Any]) -> Reading:
    """So what?"""
    last = result["gains"][-1]
    title, tone = TITLES[result["verdict"]]
    return Reading(title, f"{_step(last)} {_advice(result['verdict'], last)}".strip(), tone)


def _step(step: dict[str, Any]) -> str:
    """From 50 % to 100 % of the rows the loss on the validation rows fell by 8 % (95 % between 5 and 11)."""
    where = f"From {gains.percent(step['before'])} to {gains.percent(step['after'])} of the rows"
    ends = [100 * step[end] for end in ("low", "high")]
    by = number_text(abs(100 * step["change"]))
    if step["said"] == "no_difference":
        between = " and ".join(signed(end) for end in ends)
        return f"{where} the loss on the validation rows did not change measurably (95 % between {between} %)."
    verb, ends = ("fell", [-ends[1], -ends[0]]) if step["said"] == "better" else ("rose", ends)
    between = " and ".join(number_text(end) for end in ends)
    return f"{where} the loss on the validation rows {verb} by {by} % (95 % between {between})."


def _advice(said: str, last: dict[str, Any]) -> str:
    if said == gains.UNCLEAR and last["too_few"]:
        return "Too few of them differ to tell it from chance: more validation rows would."
    if said == gains.UNCLEAR:
        return f"{last['rows']:,} validation rows are too few to tell more: more of them narrow it."
    if said == gains.HARMS:
        return "Look at what the rows hold, or try a smaller learning rate: more rows are more steps."
    if said == gains.ENOUGH:
        return "Better rows, other settings or a larger base model may."
    return ""


def lines(study: Study, runs: Sequence[FineTuningJob]) -> list[Line]:
    """One a share, the smallest first."""
    trained: dict[float, FineTuningJob] = {run.rows_share: run for run in runs}
    if study.origin is not None:
        trained[study.origin.rows_share] = study.origin
    measured = {each["share"]: each["loss"] for each in study.result.get("runs", [])}
    steps = {each["after"]: each for each in study.result.get("gains", [])}
    return [_line(share, trained.get(share), measured.get(share), steps.get(share, {})) for share in gains.SHARES]


def _line(share: float, run: FineTuningJob | None, loss: float | None, step: dict[str, Any]) -> Line:
    if run is None:
        return Line(share, None, None, None)
    best = (run.plan.get("finished") or {}).get("best_loss")
    rows, change, between = run.plan.get("train_rows"), "", ""
    if step:
        change = f"{signed(100 * step['change'])} %"
        between = " to ".join(signed(100 * step[end]) for end in ("low", "high"))
    return Line(share, run, rows, best if loss is None else loss, change, between, step.get("said", ""))


def chart(found: Sequence[Line], *, width: int) -> LineChart | None:
    """The loss over the number of training rows."""
    points = [(float(each.rows), each.loss) for each in found if each.rows and each.loss is not None]
    marks = [
        Tick(float(each.rows), f"{each.rows:,}" + (" rows" if each.share == 1.0 else "")) for each in found if each.rows
    ]
    dots = [(point, 2, f"{point[0]:,.0f} rows: {number_text(point[1])}") for point in points]
    series = [("Validation loss", points)]
    return line_chart(series, width=width, numbers=(2,), x_marks=marks, dots=dots) if len(points) > 1 else None
