"""The list of fine-tunes."""

from __future__ import annotations

from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import render

from gptstudio.web.access import MemberRequest, member_page
from gptstudio.web.lists import Sorts, by_field, listed
from training_app import selectors
from training_app.models import JobState
from training_app.web.verdicts import verdict

SORTS: Sorts = {
    "name": Lower("name"),
    "data": Lower("version__dataset__name"),
    "base": "base_model__name",
    "state": "state",
    "made": "created_at",
}
FOUND_IN = ("name", "version__dataset__name", "base_model__name")
STATES = by_field("state", "State", JobState.choices)


@member_page("training.view")
def jobs(request: MemberRequest) -> HttpResponse:
    """Newest first."""
    rows = selectors.jobs_of(request.actor.workspace_id)
    listing = listed(request, rows, sorts=SORTS, usual="-made", find=FOUND_IN, choices=[STATES])
    shown = []
    for job in listing.span.rows:
        evaluation = getattr(getattr(job, "model", None), "evaluation", None)
        shown.append((job, verdict(evaluation) if evaluation else None))
    return render(request, "training/jobs.html", {"listing": listing, "shown": shown})
