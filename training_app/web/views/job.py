"""A run's page: Charts, Verdict, Samples, Safety, Log, Settings; `inside` has the tabs that look into it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from datasets_app.services import open_test_rows
from gptstudio.core.disk import size_of
from gptstudio.core.errors import Conflict
from gptstudio.review.selectors import item_about
from gptstudio.web import live
from gptstudio.web.access import ACT, MemberRequest, member_page
from gptstudio.web.exam import is_open, keep_open
from training_app import selectors, services
from training_app.line import next_in_line
from training_app.models import ENDED, FineTuningJob, JobState
from training_app.models.job import TRANSITIONS
from training_app.selectors.answers import answers_of
from training_app.selectors.curves import curve_of
from training_app.web import curves, learning, verdicts
from training_app.web.comparing import title_of
from training_app.web.forms import METHODS, PRESET_TITLES
from training_app.wording import in_words

UNDER_WAY = (JobState.VALIDATING_FILES, JobState.QUEUED, JobState.RUNNING)
LINES = 300
READING = (
    ("best", "Gained most", "Where this model does better than the base model."),
    ("worst", "Lost most", "Where it does worse, or worst of all: read these before you release it."),
    ("random", "Drawn at random", "What to expect of it on the whole."),
)
LINE = 1000  # waiting runs that are counted


def run_page(request: MemberRequest, job_id: str, tab: str) -> dict[str, Any]:
    """What every tab shows: head, road, and what can be done now."""
    job = selectors.job_of(request.actor.workspace_id, job_id)
    model = getattr(job, "model", None)
    evaluation = getattr(model, "evaluation", None)
    parts = job.hyperparameters.get("micro_batch_size")
    checkpoint = selectors.checkpoints_of(job).first()
    return {
        "last_step": checkpoint.step if checkpoint else 0,
        "can_be_gentler": job.state == JobState.FAILED and job.error.get("code") == services.NOT_FINITE,
        "smaller_parts": parts if parts != job.hyperparameters.get("batch_size") else None,
        "job": job,
        "tab": tab,
        "model": model,
        "evaluation": evaluation,
        "verdict": verdicts.verdict(evaluation) if evaluation else None,
        "review": item_about(model.id, kind="model") if model else None,
        "is_busy": job.state in UNDER_WAY,
        "can_cancel": TRANSITIONS.allows(job.state, JobState.CANCELLED) and job.wanted == "run",
        "can_pause": TRANSITIONS.allows(job.state, JobState.PAUSED) and job.wanted == "run",
        "can_resume": job.can_go_on,
        "can_archive": job.state in ENDED and job.study_id is None and job.archived_at is None,
        "frees": size_of(job.weights) if tab == "settings" else 0,
        "took": job.finished_at - job.started_at if job.finished_at and job.started_at else None,
    }


def _curves(job: FineTuningJob) -> dict[str, Any]:
    """The charts, the newest numbers, and a mark of all that is shown."""
    points = curve_of(job)
    total = int((job.plan or {}).get("steps") or 0)
    losses = [point for point in points if point.loss is not None]
    validations = [point for point in points if point.validation_loss is not None]
    events = list(selectors.events_of(job).order_by("-at", "-id")[:6])
    before = _before(job)
    seen = (before, job.state, job.phase, job.wanted, job.progress, len(points), events[0].id if events else "")
    return {
        "loss": curves.loss_chart(points, total=total, width=1080),
        "loss_narrow": curves.loss_chart(points, total=total, width=400),
        "reading": learning.reading(
            points,
            reason=str((job.plan.get("finished") or {}).get("reason") or ""),
            is_busy=job.state in UNDER_WAY,
            kept=_kept(job),
        ),
        "gradient": curves.gradient_chart(points, total=total),
        "rate": curves.rate_chart(points, total=total),
        "speed": curves.speed_chart(points, total=total),
        "newest_loss": losses[-1].loss if losses else None,
        "newest_validation": validations[-1].validation_loss if validations else None,
        "best_validation": min(
            (each.validation_loss for each in points if each.validation_loss is not None), default=None
        ),
        "newest_speed": points[-1].tokens_per_second if points else None,
        "events": events,
        "before": before,
        "mark": live.mark_of(*seen),
    }


def _kept(job: FineTuningJob) -> int | None:
    """The step whose weights are the model, once training is over."""
    found = (job.plan.get("finished") or {}).get("best_step")
    return found if isinstance(found, int) else None


def _before(job: FineTuningJob) -> int:
    """How many runs have their turn before a waiting one."""
    if job.state != JobState.QUEUED:
        return 0
    order = next_in_line(LINE)
    return order.index(job.id) if job.id in order else len(order)


@member_page("training.view")
def charts(request: MemberRequest, job_id: str) -> HttpResponse:
    """The curves, live while it runs."""
    page = run_page(request, job_id, "charts")
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
    """Base model and fine-tune side by side on the test rows: how sure, for which classes, for which lengths."""
    page = run_page(request, job_id, "verdict")
    evaluation = page["evaluation"]
    if evaluation:
        labels = evaluation.result.get("labels")
        page |= {
            "scores": verdicts.scores(evaluation),
            "checks": verdicts.checks_of(evaluation.safety),
            "headline": verdicts.headline_name(evaluation),
            "classes": verdicts.parts(evaluation, "classes"),
            "lengths": verdicts.parts(evaluation, "lengths"),
            "labels": labels,
            "matrix": verdicts.matrix(labels) if labels else [],
            "mixed_up": verdicts.mixed_up(labels) if labels else [],
        }
    return render(request, "training/job_verdict.html", page)


@member_page("training.view")
def samples(request: MemberRequest, job_id: str) -> HttpResponse:
    """Test rows with all three answers, those that gained and lost most and some at random, once they are opened."""
    page = run_page(request, job_id, "samples")
    evaluation = page["evaluation"]
    page["is_open"] = bool(evaluation) and is_open(request, evaluation.version_id)
    if page["is_open"]:
        reading = evaluation.result.get("reading", {})
        page["kinds"] = [(title, hint, answers_of(evaluation, reading.get(kind, []))) for kind, title, hint in READING]
        page["has_rows"] = any(rows for _title, _hint, rows in page["kinds"])
    return render(request, "training/job_samples.html", page)


@member_page("training.view", ACT)
def open_test(request: MemberRequest, job_id: str) -> HttpResponse:
    """Open the test rows that a model was examined on; the log says who looked."""
    job = selectors.job_of(request.actor.workspace_id, job_id)
    if job.version is None:
        raise Conflict("This fine-tune has no test rows yet.", fix="Wait until its data is ready.")
    open_test_rows(request.actor, version=job.version)
    keep_open(request, job.version.id)
    messages.success(request, "The test rows are open until you sign out. The activity log says so.")
    return redirect("training:job-samples", job_id)


@member_page("training.view")
def safety(request: MemberRequest, job_id: str) -> HttpResponse:
    """The safety report that the release gate reads."""
    page = run_page(request, job_id, "safety")
    evaluation = page["evaluation"]
    page["checks"] = verdicts.checks_of(evaluation.safety) if evaluation else []
    return render(request, "training/job_safety.html", page)


@member_page("training.view")
def log(request: MemberRequest, job_id: str) -> HttpResponse:
    """What happened, newest first."""
    page = run_page(request, job_id, "log")
    page["events"] = list(selectors.events_of(page["job"]).order_by("-at", "-id")[:LINES])
    return render(request, "training/job_log.html", page)


@member_page("training.view")
def settings(request: MemberRequest, job_id: str) -> HttpResponse:
    """The whole set that the run was given, and what was asked for."""
    page = run_page(request, job_id, "settings")
    asked = page["job"].requested
    page["usage"] = page["job"].plan.get("usage") or {}
    page["judging"] = selectors.judging_took(page["job"])
    page["resumed"] = selectors.events_of(page["job"]).filter(kind="started", phase="train").count() > 1
    page["lines"] = [(title_of(name), value, name in asked) for name, value in _flat(page["job"].hyperparameters)]
    page["preset"] = PRESET_TITLES.get(page["job"].preset, page["job"].preset)
    page["method"] = dict(METHODS).get(page["job"].method, page["job"].method)
    return render(request, "training/job_settings.html", page)


def _flat(settings: dict[str, Any]) -> list[tuple[str, Any]]:
    lines: list[tuple[str, Any]] = []
    for name, value in settings.items():
        if isinstance(value, dict):
            lines.extend((f"{name}_{inner}", in_words(each)) for inner, each in value.items())
        else:
            lines.append((name, in_words(value)))
    return lines
