"""What takes up the disk, and putting models and fine-tunes away."""

from __future__ import annotations

import shutil

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from gptstudio.web.access import ACT, MemberRequest, member_page
from gptstudio.web.wording import size
from training_app import selectors, services
from training_app.selectors.space import ended_by_size, models_by_size

SHOWN = 50


@member_page("models.view")
def space(request: MemberRequest) -> HttpResponse:
    """The workspace's models and the fine-tunes that keep checkpoints, the largest first."""
    workspace_id = request.actor.workspace_id
    models = models_by_size(workspace_id)[:SHOWN]
    states = selectors.release_states(workspace_id, [model.id for model, _held in models])
    context = {
        "disk": shutil.disk_usage(settings.STUDIO_HOME),
        "models": [(model, states.get(model.id, ""), held) for model, held in models],
        "jobs": ended_by_size(workspace_id)[:SHOWN],
    }
    return render(request, "training/space.html", context)


@member_page("models.archive", ACT)
def archive_model(request: MemberRequest, model_id: str) -> HttpResponse:
    """Put a model away. For base models the service asks for more."""
    found = selectors.model_of(request.actor.workspace_id, model_id)
    freed = services.archive_model(request.actor, model=found)
    messages.success(request, f"{found} is put away. {size(freed)} are free again.")
    return redirect("training:model", found.id)


@member_page("training.edit", ACT)
def archive_job(request: MemberRequest, job_id: str) -> HttpResponse:
    """Put a fine-tune away."""
    found = selectors.job_of(request.actor.workspace_id, job_id)
    freed = services.archive_job(request.actor, job=found)
    messages.success(request, f"{found} is put away. {size(freed)} are free again.")
    return redirect("training:job", found.id)
