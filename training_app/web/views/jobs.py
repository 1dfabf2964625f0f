"""The list of fine-tunes."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from gptstudio.web.access import MemberRequest, member_page
from gptstudio.web.paging import page_of
from training_app import selectors
from training_app.models import JobState
from training_app.web.verdicts import verdict


@member_page("training.view")
def jobs(request: MemberRequest) -> HttpResponse:
    """Newest first; `q` narrows by name, `state` by state."""
    wanted, state = request.GET.get("q", "").strip()[:120], request.GET.get("state", "")
    rows = selectors.jobs_of(request.actor.workspace_id)
    if wanted:
        rows = rows.filter(name__icontains=wanted)
    if state in JobState.values:
        rows = rows.filter(state=state)
    span = page_of(request, rows)
    shown = []
    for job in span.rows:
        evaluation = getattr(getattr(job, "model", None), "evaluation", None)
        shown.append((job, verdict(evaluation) if evaluation else None))
    context = {"span": span, "shown": shown, "wanted": wanted, "state": state, "states": JobState.choices}
    return render(request, "training/jobs.html", context)
