"""Steering a run: cancel, pause, resume."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from gptstudio.web.access import ACT, MemberRequest, member_page
from training_app import selectors, services


@member_page("training.edit", ACT)
def cancel(request: MemberRequest, job_id: str) -> HttpResponse:
    """Stop for good."""
    services.cancel_job(request.actor, job=selectors.job_of(request.actor.workspace_id, job_id))
    messages.success(request, "It stops after saving a checkpoint. No model is made of it.")
    return redirect("training:job", job_id)


@member_page("training.edit", ACT)
def pause(request: MemberRequest, job_id: str) -> HttpResponse:
    """Stop for now."""
    services.pause_job(request.actor, job=selectors.job_of(request.actor.workspace_id, job_id))
    messages.success(request, "It pauses after saving a checkpoint, and goes on from there when you resume it.")
    return redirect("training:job", job_id)


@member_page("training.edit", ACT)
def resume(request: MemberRequest, job_id: str) -> HttpResponse:
    """Go on from the last checkpoint; also how a failed run is tried again."""
    services.resume_job(request.actor, job=selectors.job_of(request.actor.workspace_id, job_id))
    messages.success(request, "It goes on from its last checkpoint as soon as a worker is free.")
    return redirect("training:job", job_id)
