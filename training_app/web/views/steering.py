"""Steering a run: cancel, pause, resume."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from gptstudio.web.access import ACT, MemberRequest, member_page
from training_app import selectors, services
from training_app.models import JobPhase, JobState

STOPS = "It stops after saving a checkpoint. No model is made of it."
STOPS_WAITING = "It was waiting for a worker and will not be taken up. No model is made of it."
PAUSES_WAITING = "It was waiting for a worker. Now it waits until you resume it."
# What a cancel, a pause and a resume lead to once the run is trained.
STOPS_LATER = {
    JobPhase.EVALUATE: "It stops. The model stays, not yet compared with the base model: you can go on with that later.",
    JobPhase.SAFETY: "It stops. The model stays, not yet checked for safety: you can go on with that later.",
    JobPhase.RELEASE: "It waits for no engine any more. The model stays released.",
}


@member_page("training.edit", ACT)
def cancel(request: MemberRequest, job_id: str) -> HttpResponse:
    """Stop for good."""
    job = services.cancel_job(request.actor, job=selectors.job_of(request.actor.workspace_id, job_id))
    at_once = STOPS_WAITING if job.state == JobState.CANCELLED else STOPS
    messages.success(request, STOPS_LATER.get(JobPhase(job.phase), at_once))
    return redirect("training:job", job_id)


@member_page("training.edit", ACT)
def pause(request: MemberRequest, job_id: str) -> HttpResponse:
    """Stop for now."""
    job = services.pause_job(request.actor, job=selectors.job_of(request.actor.workspace_id, job_id))
    saving = (
        "after saving a checkpoint, and goes on from there"
        if job.phase == JobPhase.TRAIN
        else "and begins this part anew"
    )
    is_waiting = job.state == JobState.PAUSED
    messages.success(request, PAUSES_WAITING if is_waiting else f"It pauses {saving} when you resume it.")
    return redirect("training:job", job_id)


@member_page("training.edit", ACT)
def resume(request: MemberRequest, job_id: str) -> HttpResponse:
    """Go on from the last checkpoint; also how a failed run is tried again, with a smaller learning rate if asked."""
    job = selectors.job_of(request.actor.workspace_id, job_id)
    services.resume_job(request.actor, job=job, gentler=request.POST.get("gentler") == "1")
    how = "It goes on from its last checkpoint"
    if job.phase != JobPhase.TRAIN:
        how = f"It goes on with “{job.get_phase_display()}”"
    elif not selectors.checkpoints_of(job).exists():
        how = "No checkpoint was made yet: it begins again"
    messages.success(request, f"{how} as soon as a worker is free.")
    return redirect("training:job", job_id)
