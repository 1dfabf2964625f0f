"""What workers have to do, each in a line: how far it is, and how long it will take where that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from datasets_app.models import DatasetFile, DatasetVersion
from gptstudio.overview import selectors
from gptstudio.web.wording import STEPS
from training_app.models import FineTuningJob, JobState, ModelExport

WAITS = ("uploaded", "queued", "validating_files")


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of work. `done` of `total` in whatever it is counted in; zeros where nobody counts."""

    id: str
    kind: str
    title: str
    url: str
    said: str
    done: int = 0
    total: int = 0
    eta_seconds: float | None = None
    is_waiting: bool = False


def of_job(job: FineTuningJob) -> Line:
    """A fine-tune, by its phase."""
    progress = job.progress or {}
    done, total = (progress.get(a) or progress.get(b) or 0 for a, b in (("step", "done"), ("steps", "total")))
    said = job.get_phase_display() if job.state == JobState.RUNNING else job.get_state_display()
    if job.state == JobState.RUNNING and progress.get("steps"):
        said = f"{said}, step {done:,} of {total:,}"
    left = progress.get("eta_seconds") if job.state == JobState.RUNNING else None
    address = reverse("training:job", args=[job.id])
    return Line(job.id, "Fine-tune", job.name, address, said, done, total, left, job.state in WAITS)


def of_work(work: Any) -> Line:
    """A file that is read, a version, an export, or a model on its way."""
    if isinstance(work, DatasetFile):
        address = reverse("datasets:dataset", args=[work.dataset_id])
        return Line(work.id, "File", work.name, address, "Being read")
    progress = getattr(work, "progress", None) or {}
    done, total = progress.get("done") or 0, progress.get("total") or 0
    said, is_waiting = work.get_state_display(), work.state in WAITS
    if isinstance(work, DatasetVersion):
        said = STEPS.get(str(progress.get("step")), said) if not is_waiting else said
        address = reverse("datasets:version", args=[work.id])
        return Line(work.id, "Version", str(work), address, said, done, total, None, is_waiting)
    if isinstance(work, ModelExport):
        address = reverse("training:model", args=[work.model_id])
        return Line(work.id, "Export", str(work), address, said, 0, 0, None, is_waiting)
    return Line(work.id, "Import", str(work), reverse("training:models"), said, done, total, None, is_waiting)


def lines_of(workspace_id: str, jobs: list[FineTuningJob]) -> list[Line]:
    """All of the workspace's, fine-tunes first."""
    return [*(of_job(job) for job in jobs), *(of_work(each) for each in selectors.other_work(workspace_id))]
