"""Looking inside runs: what the model saw, the rows it finds hardest, several runs side by side."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from gptstudio.web.access import MemberRequest, member_page
from training_app import looks, selectors
from training_app.selectors.curves import curves_of
from training_app.web import comparing
from training_app.web.besting import clear_best, share_losses
from training_app.web.views.job import run_page

CHOICES = 100


@member_page("training.view")
def saw(request: MemberRequest, job_id: str) -> HttpResponse:
    """The first batch as the model sees it, and what it answered while it learned."""
    page = run_page(request, job_id, "saw")
    found = {"batch": looks.first_batch(page["job"]), "asked": looks.samples(page["job"])}
    return render(request, "training/job_saw.html", {**page, **found, "is_erased": looks.is_erased(page["job"])})


@member_page("training.view")
def worst(request: MemberRequest, job_id: str) -> HttpResponse:
    """The validation rows with the highest loss under the weights that were kept."""
    page = run_page(request, job_id, "worst")
    found = {"hardest": looks.hardest(page["job"]), "is_erased": looks.is_erased(page["job"])}
    return render(request, "training/job_worst.html", {**page, **found})


@member_page("training.view")
def compare(request: MemberRequest) -> HttpResponse:
    """Runs side by side; `run` names each of them."""
    workspace_id = request.actor.workspace_id
    wanted = list(dict.fromkeys(each for each in request.GET.getlist("run") if each))[: comparing.MOST]
    jobs = [selectors.job_of(workspace_id, each) for each in wanted]
    points = curves_of([job.id for job in jobs])
    context = {
        "jobs": jobs,
        "choices": [*selectors.jobs_of(workspace_id)[:CHOICES], *(job for job in jobs if job.study_id)],
        "places": range(1, max(2, min(comparing.MOST, len(jobs) + 1)) + 1),
        "charts": [
            (title, *(comparing.chart(jobs, points, of=column, width=width) for width in (1080, 400)))
            for title, column in (("Validation loss", "validation_loss"), ("Training loss", "loss"))
        ],
        "share_losses": share_losses(jobs),
        "results": comparing.results(jobs, points, best=clear_best(jobs)) if jobs else [],
        "differing": comparing.differing(jobs) if len(jobs) > 1 else [],
    }
    return render(request, "training/compare.html", context)
