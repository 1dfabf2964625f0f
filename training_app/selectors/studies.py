"""Reading studies and their runs."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, Q, QuerySet

from gptstudio.core.errors import NotFound
from training_app import trials
from training_app.models import FineTuningJob, JobEvent, JobState, MetricPoint, Study, StudyKind, StudyState

BEHIND = "behind"  # the kind of the line in a trial's log that says why it was stopped
OPEN = (JobState.VALIDATING_FILES, JobState.QUEUED, JobState.RUNNING, JobState.PAUSED)


def studies_of(workspace_id: str) -> QuerySet[Study]:
    """The workspace's studies, newest first, each with `ended`: how many of its runs are over."""
    over = Count("runs", filter=~Q(runs__state__in=OPEN))
    mine = Study.objects.filter(workspace_id=workspace_id).select_related("version__dataset", "base_model", "origin")
    return mine.annotate(ended=over).order_by("-created_at", "-id")


def study_of(workspace_id: str, study_id: str) -> Study:
    """One study of the workspace."""
    found = studies_of(workspace_id).filter(id=study_id).first()
    if found is None:
        raise NotFound(f"There is no study {study_id} in this workspace.")
    return found


def runs_of(study: Study) -> list[FineTuningJob]:
    """Its runs in their order."""
    mine = FineTuningJob.objects.filter(study=study).select_related("version__dataset", "base_model", "study")
    return list(mine.order_by("place"))


def standing_studies() -> list[str]:
    """Ids of studies that are under way with no run of theirs in the queue or at work."""
    under_way = Study.objects.filter(state=StudyState.RUNNING)
    return list(under_way.exclude(runs__state__in=OPEN).values_list("id", flat=True))


def looks_of(runs: Sequence[FineTuningJob]) -> dict[str, list[trials.Look]]:
    """By run each look at the validation rows, in their order: the share of the planned steps until then, and the loss."""
    found: dict[str, list[trials.Look]] = {run.id: [] for run in runs}
    planned = {run.id: int(run.plan.get("steps") or 0) for run in runs}
    points = MetricPoint.objects.filter(job__in=runs, validation_loss__isnull=False).order_by("step")
    for job_id, step, loss in points.values_list("job_id", "step", "validation_loss"):
        found[job_id].append((min(1.0, step / max(step, planned[job_id])), float(loss or 0.0)))
    return found


def losses_of(runs: Sequence[FineTuningJob]) -> dict[str, list[float]]:
    """By run the validation loss at each look."""
    return {run_id: [loss for _, loss in looks] for run_id, looks in looks_of(runs).items()}


def stopped_behind(study: Study) -> set[str]:
    """Ids of the runs that were stopped because others had done better by then."""
    return set(JobEvent.objects.filter(job__study=study, kind=BEHIND).values_list("job_id", flat=True))


def is_behind(job: FineTuningJob) -> bool:
    """Whether a trial under way is hopeless beside those that were trained to their end."""
    if job.study is None or job.study.kind != StudyKind.SWEEP:
        return False
    others = FineTuningJob.objects.filter(study=job.study, state=JobState.SUCCEEDED)
    looks = looks_of([job, *others])
    return trials.is_behind(looks.pop(job.id), list(looks.values()))
