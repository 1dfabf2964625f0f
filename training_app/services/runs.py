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
from training_app.line import next_in_line
from training_app.models import Checkpoint, FineTuningJob, JobEvent, JobPhase, JobState, MetricPoint, Wanted
from training_app.selectors.studies import BEHIND, is_behind
from training_app.services.notices import tell_ended
from training_app.wording import level, sentence

ENDED = {
    JobState.CANCELLED: "Cancelled",
    JobState.PAUSED: "Paused",
    JobState.QUEUED: "The worker ended; the run goes on by itself",
}
UNLOGGED = ("progress", "kept")
NEXT_PHASE = {JobPhase.TRAIN: JobPhase.EVALUATE, JobPhase.EVALUATE: JobPhase.SAFETY, JobPhase.SAFETY: JobPhase.RELEASE}


def _one(job_id: str) -> Any:
    return FineTuningJob.objects.filter(id=job_id)


@transaction.atomic
def claim_job(job_id: str, *, holder: str) -> FineTuningJob | None:
    """Take a job that waits, or whose worker died. None when there is nothing to do, no training slot is free, or it is
    somebody else's turn.
    """
    _queue_for_slots()
    if not _holds_slot(job_id) and job_id not in next_in_line():
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


def holds(job: FineTuningJob) -> bool:
    """Heartbeat. False when another worker has taken over."""
    return leases.renew(_one(job.id), attempt=job.attempt)


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
        # Where a stop had cut this look short, its checkpoint was there before.
        Checkpoint.objects.filter(job=job, step=data["step"]).update(validation_loss=data.get("loss"))
    elif kind == "checkpoint":
        point = MetricPoint.objects.filter(job=job, step=data["step"]).first()
        Checkpoint.objects.update_or_create(
            job=job,
            step=data["step"],
            defaults={"path": data["path"], "validation_loss": point.validation_loss if point else None},
        )
    elif kind == "kept":
        Checkpoint.objects.filter(job=job).exclude(step__in=data["steps"]).delete()
    elif kind == "progress":
        return {"progress": data}
    elif kind == "plan":
        return {"plan": data}
    elif kind == "usage" and phase == JobPhase.TRAIN:
        return {"plan": {**job.plan, "usage": data}}
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
            job.plan = locked.plan = changes["plan"]
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
    JobEvent.objects.bulk_create([line for line in lines if line.kind not in UNLOGGED], ignore_conflicts=True)
    job.offsets = {**locked.offsets, phase: offset}
    _one(job.id).update(offsets=job.offsets, **changes)
    if locked.study_id is not None and any(event["kind"] == "evaluation" for event in events):
        _stop_if_behind(locked)
    return True


def _stop_if_behind(job: FineTuningJob) -> None:
    """A trial that would not become the best costs no more time; its runner sees the wish at its next look."""
    if is_behind(job) and _one(job.id).filter(wanted=Wanted.RUN).update(wanted=Wanted.CANCEL):
        said = (
            "Stopped early: by this share of their steps, half of the trials that were trained to their end had a lower "
            "validation loss"
        )
        note(job, said, kind=BEHIND)


def note(
    job: FineTuningJob,
    message: str,
    *,
    kind: str = "notice",
    severity: str = "info",
    data: dict[str, Any] | None = None,
    given_back: int = 0,
) -> None:
    """A line by the studio itself in the job's log; `given_back` names the attempt that ends with it in good order."""
    last = JobEvent.objects.filter(job=job, phase="").order_by("-seq").values_list("seq", flat=True).first() or 0
    JobEvent.objects.create(
        job=job,
        phase="",
        attempt=given_back,
        seq=last + 1,
        kind=kind,
        level=severity,
        message=message,
        data=data or {},
        at=timezone.now(),
    )


def advance_job(job: FineTuningJob) -> bool:
    """Move on to the next phase. False when the lease was lost."""
    following = NEXT_PHASE[JobPhase(job.phase)]
    if not _one(job.id).filter(attempt=job.attempt).update(phase=following, progress={}):
        return False
    job.phase = following
    return True


def train_again(job: FineTuningJob) -> bool:
    """Back to training, where the machine that has the trained model died before it was registered: the checkpoints know
    all of it. False when the lease was lost.
    """
    if not _one(job.id).filter(attempt=job.attempt).update(phase=JobPhase.TRAIN):
        return False
    job.phase = JobPhase.TRAIN
    return True


def last_attempt(job: FineTuningJob) -> int:
    """The last one of this phase that said something; 0 for none."""
    found = JobEvent.objects.filter(job=job, phase=job.phase).order_by("-attempt")
    return found.values_list("attempt", flat=True).first() or 0


@transaction.atomic
def stop_job(job: FineTuningJob, *, saved: bool = True) -> str:
    """The engine stopped when asked: cancelled, paused, or back to the queue when only its worker went. Not `saved`: it was
    killed before it had.
    """
    wanted = _one(job.id).values_list("wanted", flat=True).get()
    state = {Wanted.CANCEL: JobState.CANCELLED, Wanted.PAUSE: JobState.PAUSED}.get(wanted, JobState.QUEUED)
    finished = timezone.now() if state == JobState.CANCELLED else None
    if leases.release(_one(job.id), attempt=job.attempt, state=state, finished_at=finished, progress={}):
        note(job, f"{ENDED[state]}{_kept(job, state, saved=saved)}", given_back=job.attempt)
        if state == JobState.CANCELLED:
            tell_ended(job.id)
        wake_next()
    return state


def reached(job: FineTuningJob) -> int:
    """The step of its newest checkpoint; 0 without one."""
    return Checkpoint.objects.filter(job=job).order_by("-step").values_list("step", flat=True).first() or 0


def _kept(job: FineTuningJob, state: str, *, saved: bool) -> str:
    """What there is to go on from, as the end of a sentence; the weights of a cancelled run of a study are not kept."""
    is_over = state == JobState.CANCELLED
    if job.phase != JobPhase.TRAIN:
        return "; the model that was trained stays, and can be judged later" if is_over else ""
    if job.study_id and is_over:
        return ""
    why = "" if saved else "; it had no time to save"
    step = reached(job)
    return (
        f"{why}; what was learnt up to step {step:,} is kept as a checkpoint" if step else f"{why}; nothing is kept yet"
    )


@transaction.atomic
def fail_job(job: FineTuningJob, *, code: str, message: str, fix: str = "") -> bool:
    """End a run with a sentence. It can be resumed, from its last checkpoint if it has one."""
    error = {"code": code, "message": message, "fix": fix}
    changes = {"state": JobState.FAILED, "error": error, "finished_at": timezone.now()}
    if not leases.release(_one(job.id), attempt=job.attempt, **changes):
        return False
    note(job, f"{message} {fix}".strip(), kind="failed", severity="error", given_back=job.attempt)
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
    """A training slot is free: wake a worker for whoever's turn it is."""
    for job_id in next_in_line():
        enqueue("training.run_job", job_id, queue=settings.TRAINING_QUEUE)
