"""Jobs that nobody works on although somebody should: data just frozen, workers that died, lost messages."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from datasets_app.models import VersionState
from gptstudio.core import leases
from gptstudio.core.errors import StudioError
from gptstudio.core.queue import enqueue
from training_app.models import FineTuningJob, JobPhase, JobState
from training_app.services.jobs import start_queued
from training_app.services.runs import fail_job, note

SETTLING = timedelta(seconds=10)


@transaction.atomic
def _validate(job_id: str) -> None:
    job = (
        FineTuningJob.objects.select_for_update(of=("self",))
        .select_related("version", "base_model", "version__dataset")
        .get(id=job_id)
    )
    version = job.version
    if job.state != JobState.VALIDATING_FILES or version is None:
        return
    if version.state in (VersionState.FAILED, VersionState.CANCELLED):
        error = version.error or {"message": "The data was cancelled."}
        fail_job(job, code="invalid_training_file", message=error["message"], fix=error.get("fix", ""))
        return
    if version.state != VersionState.READY:
        return
    try:
        start_queued(job, version)
    except StudioError as error:
        fail_job(job, code=error.code, message=error.message, fix=error.fix)
        return
    FineTuningJob.objects.filter(id=job.id).update(state=job.state, hyperparameters=job.hyperparameters)
    rows = version.report["rows"]
    hidden = sum(version.report.get("personal_data", {}).values())
    severity = "warn" if hidden or rows["in"] != rows["kept"] else "info"
    note(
        job,
        f"Data frozen: {rows['kept']:,} of {rows['in']:,} rows kept, {hidden:,} pieces of personal data hidden",
        severity=severity,
    )
    enqueue("training.run_job", job.id)


def requeue_stale() -> int:
    """Move jobs on whose data is ready, and wake workers for jobs that nobody holds. Returns how many."""
    frozen = FineTuningJob.objects.filter(
        state=JobState.VALIDATING_FILES,
        version__state__in=[VersionState.READY, VersionState.FAILED, VersionState.CANCELLED],
    ).values_list("id", flat=True)
    validating = list(frozen)
    for job_id in validating:
        _validate(job_id)
    waiting = FineTuningJob.objects.filter(
        state__in=[JobState.QUEUED, JobState.RUNNING], created_at__lt=timezone.now() - SETTLING
    ).exclude(state=JobState.RUNNING, phase=JobPhase.RELEASE)
    stale = list(leases.expired(waiting).order_by("created_at").values_list("id", flat=True)[:100])
    for job_id in stale:
        enqueue("training.run_job", job_id)
    return len(validating) + len(stale)
