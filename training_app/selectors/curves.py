"""Reading what was measured step by step, as bare values: a long run has thousands of points, and its page shows them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from training_app.models import FineTuningJob, MetricPoint


class Point(NamedTuple):
    """What a MetricPoint holds."""

    step: int
    epoch: float
    loss: float | None
    validation_loss: float | None
    learning_rate: float | None
    grad_norm: float | None
    tokens_per_second: float | None


def curve_of(job: FineTuningJob) -> list[Point]:
    """A run's points by step."""
    return curves_of([job.id])[job.id]


def curves_of(job_ids: Sequence[str]) -> dict[str, list[Point]]:
    """The same for several runs, by id."""
    found: dict[str, list[Point]] = {job_id: [] for job_id in job_ids}
    rows = MetricPoint.objects.filter(job_id__in=job_ids).order_by("step")
    for job_id, *values in rows.values_list("job_id", *Point._fields):
        found[job_id].append(Point(*values))
    return found
