"""A run's page: Charts, Verdict, Samples, Safety, Log, Settings."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from gptstudio.review.selectors import item_about
from gptstudio.web import live
from gptstudio.web.access import MemberRequest, member_page
from training_app import selectors
from training_app.models import FineTuningJob, JobState
from training_app.models.job import TRANSITIONS
from training_app.web import curves, verdicts

UNDER_WAY = (JobState.VALIDATING_FILES, JobState.QUEUED, JobState.RUNNING)
LINES = 300


def _page(request: MemberRequest, job_id: str, tab: str) -> dict[str, Any]:
    """What every tab shows: head, road, and what can be done now."""
    job = selectors.job_of(request.actor.workspace_id, job_id)
    model = getattr(job, "model", None)
    evaluation = getattr(model, "evaluation", None)
    return {
        "job": job,
        "tab": tab,
        "model": model,
        "evaluation": evaluation,
        "verdict": verdicts.verdict(evaluation) if evaluation else None,
        "review": item_about(model.id, kind="model") if model else None,
        "is_busy": job.state in UNDER_WAY,
        "can_cancel": TRANSITIONS.allows(job.state, JobState.CANCELLED) and job.wanted == "run",
        "can_pause": TRANSITIONS.allows(job.state, JobState.PAUSED) and job.wanted == "run",
        "can_resume": job.state in (JobState.PAUSED, JobState.FAILED),
        "took": job.finished_at - job.started_at if job.finished_at and job.started_at else None,
    }


def _curves(job: FineTuningJob) -> dict[str, Any]:
    """The charts, the newest numbers, and a mark of all that is shown."""
    points = list(selectors.metrics_of(job))
    total = int((job.plan or {}).get("steps") or 0)
    losses = [point for point in points if point.loss is not None]
    validations = [point for point in points if point.validation_loss is not None]
    events = list(selectors.events_of(job).order_by("-at", "-id")[:6])
    seen = (job.state, job.phase, job.wanted, job.progress, len(points), events[0].id if events else "")
    return {
        "loss": curves.loss_chart(points, total=total, width=1080),
        "loss_narrow": curves.loss_chart(points, total=total, width=400),
        "rate": curves.rate_chart(points, total=total),
        "speed": curves.speed_chart(points, total=total),
        "newest_loss": losses[-1].loss if losses else None,
        "newest_validation": validations[-1].validation_loss if validations else None,
        "best_validation": min(
            (each.validation_loss for each in points if each.validation_loss is not None), default=None
        ),
        "newest_speed": points[-1].tokens_per_second if points else None,
        "events": events,
        "mark": live.mark_of(*seen),
    }


@member_page("training.view")
def charts(request: MemberRequest, job_id: str) -> HttpResponse:
    """The curves, live while it runs."""
    page = _page(request, job_id, "charts")
    return render(request, "training/job_charts.html", {**page, **_curves(page["job"])})


@member_page("training.view")
def live_charts(request: MemberRequest, job_id: str) -> HttpResponse:
    """The live part by itself, every two seconds; the page is loaded again when the run is over."""
    job = selectors.job_of(request.actor.workspace_id, job_id)
    found = _curves(job)
    context = {"job": job, "is_busy": job.state in UNDER_WAY, **found}
    is_over = job.state not in UNDER_WAY
    return live.part(request, "training/parts/curves.html", context, mark=found["mark"], is_over=is_over)


@member_page("training.view")
def verdict(request: MemberRequest, job_id: str) -> HttpResponse:
    """Base model and fine-tune side by side on the test rows."""
    page = _page(request, job_id, "verdict")
    evaluation = page["evaluation"]
    page["scores"] = verdicts.scores(evaluation) if evaluation else []
    page["checks"] = evaluation.safety.get("checks", []) if evaluation else []
    return render(request, "training/job_verdict.html", page)


@member_page("training.view")
def samples(request: MemberRequest, job_id: str) -> HttpResponse:
    """Questions of the test split with all three answers: the reference, the base model's, this one's."""
    page = _page(request, job_id, "samples")
    evaluation = page["evaluation"]
    page["samples"] = evaluation.result.get("samples", []) if evaluation else []
    return render(request, "training/job_samples.html", page)


@member_page("training.view")
def safety(request: MemberRequest, job_id: str) -> HttpResponse:
    """The safety report that the release gate reads."""
    page = _page(request, job_id, "safety")
    evaluation = page["evaluation"]
    page["checks"] = evaluation.safety.get("checks", []) if evaluation else []
    return render(request, "training/job_safety.html", page)


@member_page("training.view")
def log(request: MemberRequest, job_id: str) -> HttpResponse:
    """What happened, newest first."""
    page = _page(request, job_id, "log")
    page["events"] = list(selectors.events_of(page["job"]).order_by("-at", "-id")[:LINES])
    return render(request, "training/job_log.html", page)


@member_page("training.view")
def settings(request: MemberRequest, job_id: str) -> HttpResponse:
    """The whole set that the run was given, and what was asked for."""
    page = _page(request, job_id, "settings")
    asked = page["job"].requested
    page["lines"] = [(name, value, name in asked) for name, value in _flat(page["job"].hyperparameters)]
    return render(request, "training/job_settings.html", page)


def _flat(settings: dict[str, Any]) -> list[tuple[str, Any]]:
    lines: list[tuple[str, Any]] = []
    for name, value in settings.items():
        if isinstance(value, dict):
            lines.extend((f"{name}_{inner}", each) for inner, each in value.items())
        else:
            lines.append((name, value))
    return lines
