"""Runs as workers live them: claimed, kept alive, their events taken in, moved on, ended.

Every write carries the attempt number of the claim, so a worker that lost its lease writes nothing any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gptstudio.core import leases
from gptstudio.core.queue import enqueue
from training_app import selectors
from training_app.models import Checkpoint, FineTuningJob, JobEvent, JobPhase, JobState, MetricPoint, Wanted
from training_app.services.notices import tell_ended
from training_app.wording import level, sentence

NEXT_PHASE = {JobPhase.TRAIN: JobPhase.EVALUATE, JobPhase.EVALUATE: JobPhase.SAFETY, JobPhase.SAFETY: JobPhase.RELEASE}


def _one(job_id: str) -> Any:
    return FineTuningJob.objects.filter(id=job_id)


@transaction.atomic
def claim_job(job_id: str, *, holder: str) -> FineTuningJob | None:
    """Take a job that waits, or whose worker died. None when there is nothing to do or no training slot is free."""
    _queue_for_slots()
    if selectors.running_count() >= settings.TRAINING_SLOTS and not _holds_slot(job_id):
        return None
    waiting = (
        _one(job_id)
        .filter(state__in=[JobState.QUEUED, JobState.RUNNING])
        .exclude(state=JobState.RUNNING, phase=JobPhase.RELEASE)
    )
    if not leases.claim(waiting, holder=holder, state=JobState.RUNNING):
        return None
    _one(job_id).filter(started_at__isnull=True).update(started_at=timezone.now())
    return FineTuningJob.objects.select_related("base_model", "version", "workspace").get(id=job_id)


def _queue_for_slots() -> None:
    """Make claims wait for one another: slots are counted first and taken afterwards."""
    open_jobs = FineTuningJob.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING])
    list(open_jobs.select_for_update().order_by("id").values_list("id"))


def _holds_slot(job_id: str) -> bool:
    return bool(_one(job_id).filter(state=JobState.RUNNING, lease_until__isnull=False).exists())


def beat(job: FineTuningJob) -> bool:
    """Heartbeat. False when the run should stop: somebody wants it to, or another worker has taken over."""
    mine = _one(job.id)
    return leases.renew(mine, attempt=job.attempt) and not mine.exclude(wanted=Wanted.RUN).exists()


def _point(job: FineTuningJob, data: dict[str, Any], **values: Any) -> None:
    MetricPoint.objects.update_or_create(
        job=job, step=data["step"], defaults={"epoch": data.get("epoch") or 0.0, **values}
    )


def _take(job: FineTuningJob, phase: str, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """What one event changes beside the log. Returns the columns of the job that it sets."""
    if kind == "metric":
        names = ("loss", "learning_rate", "grad_norm", "tokens_per_second")
        _point(job, data, **{name: data.get(name) for name in names})
    elif kind == "evaluation" and phase == JobPhase.TRAIN:
        _point(job, data, validation_loss=data.get("loss"))
    elif kind == "checkpoint":
        point = MetricPoint.objects.filter(job=job, step=data["step"]).first()
        Checkpoint.objects.update_or_create(
            job=job,
            step=data["step"],
            defaults={"path": data["path"], "validation_loss": point.validation_loss if point else None},
        )
    elif kind == "progress":
        return {"progress": data}
    elif kind == "plan":
        return {"plan": data}
    elif kind == "finished" and phase == JobPhase.TRAIN:
        return {"trained_tokens": data.get("trained_tokens"), "plan": {**job.plan, "finished": data}}
    return {}


@transaction.atomic
def record_events(job: FineTuningJob, *, phase: str, events: Sequence[dict[str, Any]], offset: int) -> bool:
    """Take in a batch of an engine's events, and how far its file was read. False when the lease was lost."""
    locked = _one(job.id).select_for_update().filter(attempt=job.attempt).first()
    if locked is None:
        return False
    changes: dict[str, Any] = {}
    lines = []
    for event in events:
        kind, data = str(event["kind"]), event.get("data") or {}
        changes |= _take(job, phase, kind, data)
        if "plan" in changes:
            job.plan = changes["plan"]
        lines.append(
            JobEvent(
                job=job,
                phase=phase,
                attempt=int(event["attempt"]),
                seq=int(event["seq"]),
                kind=kind,
                level=level(kind, data),
                message=sentence(kind, data, phase=phase),
                data=data,
                at=datetime.fromisoformat(event["at"]),
            )
        )
    JobEvent.objects.bulk_create([line for line in lines if line.kind != "progress"], ignore_conflicts=True)
    job.offsets = {**locked.offsets, phase: offset}
    _one(job.id).update(offsets=job.offsets, **changes)
    return True


def note(job: FineTuningJob, message: str, *, kind: str = "notice", severity: str = "info") -> None:
    """A line by the studio itself in the job's log."""
    last = JobEvent.objects.filter(job=job, phase="").order_by("-seq").values_list("seq", flat=True).first() or 0
    JobEvent.objects.create(
        job=job,
        phase="",
        attempt=0,
        seq=last + 1,
        kind=kind,
        level=severity,
        message=message,
        at=timezone.now(),
    )


def advance_job(job: FineTuningJob) -> bool:
    """Move on to the next phase. False when the lease was lost."""
    following = NEXT_PHASE[JobPhase(job.phase)]
    if not _one(job.id).filter(attempt=job.attempt).update(phase=following, progress={}):
        return False
    job.phase = following
    return True


@transaction.atomic
def stop_job(job: FineTuningJob) -> str:
    """The engine stopped when asked: cancelled, paused, or back to the queue when only its worker went."""
    wanted = _one(job.id).values_list("wanted", flat=True).get()
    state = {Wanted.CANCEL: JobState.CANCELLED, Wanted.PAUSE: JobState.PAUSED}.get(wanted, JobState.QUEUED)
    finished = timezone.now() if state == JobState.CANCELLED else None
    if leases.release(_one(job.id), attempt=job.attempt, state=state, finished_at=finished, progress={}):
        words = {"cancelled": "Cancelled; what was learnt so far is kept as a checkpoint", "paused": "Paused"}
        note(job, words.get(state, "The worker stopped; the run goes on from its last checkpoint"))
        if state == JobState.CANCELLED:
            tell_ended(job.id)
        wake_next()
    return state


@transaction.atomic
def fail_job(job: FineTuningJob, *, code: str, message: str, fix: str = "") -> bool:
    """End a run with a sentence. It can be resumed from its last checkpoint."""
    error = {"code": code, "message": message, "fix": fix}
    changes = {"state": JobState.FAILED, "error": error, "finished_at": timezone.now()}
    if not leases.release(_one(job.id), attempt=job.attempt, **changes):
        return False
    note(job, f"{message} {fix}".strip(), kind="failed", severity="error")
    tell_ended(job.id)
    wake_next()
    return True


@transaction.atomic
def succeed(job: FineTuningJob) -> bool:
    """End a run well; called by whoever completes the release phase."""
    changes = {"state": JobState.SUCCEEDED, "finished_at": timezone.now(), "progress": {}}
    if not leases.release(_one(job.id).filter(state=JobState.RUNNING), attempt=job.attempt, **changes):
        return False
    note(job, "The job has successfully completed")
    tell_ended(job.id)
    wake_next()
    return True


@transaction.atomic
def finish_released_job(job_id: str) -> bool:
    """An engine answers for the released model: the job is done."""
    job = _one(job_id).filter(state=JobState.RUNNING, phase=JobPhase.RELEASE).first()
    return job is not None and succeed(job)


def wake_next() -> None:
    """A training slot is free: wake a worker for whoever waits longest."""
    waiting = FineTuningJob.objects.filter(state=JobState.QUEUED).order_by("created_at").values_list("id", flat=True)
    for job_id in waiting[: settings.TRAINING_SLOTS]:
        enqueue("training.run_job", job_id, queue=settings.TRAINING_QUEUE)
