"""What a run outlives by itself: too little memory, and an engine that somebody killed."""

from __future__ import annotations

from django.db import transaction

from training_app import presets
from training_app.models import FineTuningJob, JobEvent
from training_app.services.runs import note, reached

# So many kills in a row without a new checkpoint are borne; then something about the run itself is at fault.
BORNE_KILLS = 2
KILLED, SHRUNK = "killed", "shrunk"
# A comparison or a safety check takes fewer rows by itself where Python hears of it; else it begins again with a quarter.
LEAST_SHARE = 1 / 64


def _onward(step: int) -> str:
    return f"It goes on from step {step:,}" if step else "It begins again"


@transaction.atomic
def shrink_batches(job: FineTuningJob, *, after_kills: bool = False) -> bool:
    """Fewer rows at a time, as many a step as before. False where there is one at a time already.

    `after_kills`: nobody said that it was for memory, but nothing else that the studio can change ends in kills alone.
    """
    settings = job.hyperparameters
    batch = int(settings["batch_size"])
    before = int(settings.get("micro_batch_size") or batch)
    after = presets.smaller_part(batch, before)
    if after == before:
        return False
    job.hyperparameters = {**settings, "micro_batch_size": after}
    mine = FineTuningJob.objects.filter(id=job.id, attempt=job.attempt)
    if not mine.update(hyperparameters=job.hyperparameters):
        return False
    rows = batch * int(settings["gradient_accumulation_steps"])
    why = (
        f"The engine was killed {BORNE_KILLS + 1} times without getting any further, as where memory does not suffice."
        if after_kills
        else "There was not enough memory."
    )
    note(
        job,
        f"{why} {_onward(reached(job))} with {after} rows at a time instead of {before}; "
        f"each step still learns from the same {rows}.",
        kind=SHRUNK,
        severity="warn",
    )
    return True


@transaction.atomic
def take_fewer(job: FineTuningJob, share: float, *, after_kills: bool = False) -> float | None:
    """The share of rows with which a comparison or a safety check begins again; None where it is as small as it gets."""
    less = share / 4
    if less < LEAST_SHARE:
        return None
    why = f"The engine was killed {BORNE_KILLS + 1} times." if after_kills else "There was not enough memory."
    note(job, f"{why} It begins again with a quarter of the rows at a time.", kind=SHRUNK, severity="warn")
    return less


@transaction.atomic
def outlive_kill(job: FineTuningJob) -> bool:
    """Go on after a kill that was not for memory. False when the last ones came without a new checkpoint between.

    They are counted anew once something is different: fewer rows at a time, or another start by a person or a worker.
    """
    step = reached(job)
    said = JobEvent.objects.filter(job=job, phase="")
    changed = said.filter(kind=SHRUNK).order_by("-seq").values_list("seq", flat=True).first() or 0
    where = {"phase": job.phase, "step": step, "attempt": job.attempt}
    if said.filter(kind=KILLED, data=where, seq__gt=changed).count() >= BORNE_KILLS:
        return False
    note(
        job,
        f"The engine was killed by something outside the studio. {_onward(step)} as it was.",
        kind=KILLED,
        severity="warn",
        data=where,
    )
    return True
