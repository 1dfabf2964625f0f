"""Jobs that nobody works on although somebody should: data just frozen, workers that died, lost messages."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from datasets_app.models import VersionState
from gptstudio.core import leases
from gptstudio.core.errors import StudioError
from gptstudio.core.queue import enqueue
from training_app.line import next_in_line
from training_app.models import FineTuningJob, JobEvent, JobPhase, JobState
from training_app.selectors import is_released, jobs_waiting_for_release
from training_app.services.exports import forget_exports, requeue_stale_exports
from training_app.services.following import continue_standing
from training_app.services.forgetting import forget_files
from training_app.services.imports import requeue_stale_imports
from training_app.services.jobs import start_queued
from training_app.services.measuring import requeue_stale_measurements
from training_app.services.runs import fail_job, finish_released_job, note

SETTLING = timedelta(seconds=10)
MOST_ATTEMPTS = 10  # in a row whose worker went away without a new checkpoint
FURTHER = ("checkpoint", "finished")


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
    if version.state == VersionState.ERASED:
        fix = "Start a new one on another version."
        fail_job(job, code="invalid_training_file", message="The rows of this fine-tune were erased.", fix=fix)
        return
    if version.state != VersionState.READY:
        return
    try:
        start_queued(job, version)
    except StudioError as error:
        fail_job(job, code=error.code, message=error.message, fix=error.fix)
        return
    FineTuningJob.objects.filter(id=job.id).update(
        state=job.state, hyperparameters=job.hyperparameters, estimate=job.estimate
    )
    rows = version.report["rows"]
    hidden = sum(version.report.get("personal_data", {}).values())
    severity = "warn" if hidden or rows["in"] != rows["kept"] else "info"
    note(
        job,
        f"Data frozen: {rows['kept']:,} of {rows['in']:,} rows kept, {hidden:,} pieces of personal data hidden",
        severity=severity,
    )
    enqueue("training.run_job", job.id, queue=settings.TRAINING_QUEUE)


def move_waiting_on() -> int:
    """Jobs that wait for data which is frozen now, or for a release that was taken back meanwhile. Returns how many."""
    _give_up()
    frozen = FineTuningJob.objects.filter(
        state=JobState.VALIDATING_FILES,
        version__state__in=[VersionState.READY, VersionState.FAILED, VersionState.CANCELLED, VersionState.ERASED],
    ).values_list("id", flat=True)
    validating = list(frozen)
    for job_id in validating:
        _validate(job_id)
    withdrawn = [job for job in jobs_waiting_for_release() if not is_released(job.model)]
    for job in withdrawn:
        note(job, "The release was taken back before an engine answered for the model", severity="warn")
        finish_released_job(job.id)
    return len(validating) + len(withdrawn)


def _give_up() -> None:
    """A run that ends its worker every time would otherwise come back for ever. A pause, a failure or a worker that went
    politely ends an attempt in good order, and whatever gets further is worth another start: from there they are counted anew.
    """
    running = FineTuningJob.objects.filter(state=JobState.RUNNING, attempt__gte=MOST_ATTEMPTS)
    for job in leases.expired(running.exclude(phase=JobPhase.RELEASE)):
        good = JobEvent.objects.filter(Q(phase="") | Q(kind__in=FURTHER), job=job)
        last = good.aggregate(attempt=Max("attempt"))["attempt"] or 0
        if job.attempt - last < MOST_ATTEMPTS:
            continue
        message = (
            f"The run was begun {job.attempt - last} times without getting any further; its worker went away each time."
        )
        fail_job(job, code="gave_up", message=message, fix="Look into the worker's log, then resume it.")


def forget_erased() -> None:
    """Texts that runs keep of rows that are erased, also where whoever should have forgotten them was cut short."""
    for job in FineTuningJob.objects.filter(version__state=VersionState.ERASED).only("id"):
        forget_files(job)


def requeue_stale() -> int:
    """Move waiting jobs on, and wake workers for jobs that nobody holds: those whose turn it is, and all whose
    worker died; base models on their way, measurements and exports alike. Returns how many were moved or sent.
    """
    forget_erased()
    forget_exports()
    moved = move_waiting_on() + requeue_stale_imports() + requeue_stale_measurements() + continue_standing()
    moved += requeue_stale_exports()
    old = FineTuningJob.objects.filter(created_at__lt=timezone.now() - SETTLING)
    dead = leases.expired(old.filter(state=JobState.RUNNING).exclude(phase=JobPhase.RELEASE))
    settled = set(leases.expired(old.filter(state=JobState.QUEUED)).values_list("id", flat=True))
    stale = [*dead.values_list("id", flat=True)[:100], *(each for each in next_in_line() if each in settled)]
    for job_id in stale:
        enqueue("training.run_job", job_id, queue=settings.TRAINING_QUEUE)
    return moved + len(stale)
