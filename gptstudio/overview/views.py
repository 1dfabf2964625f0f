"""Home: what runs, what waits for someone, what was answered today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from gptstudio.accounts.policies import Actor
from gptstudio.overview import selectors
from gptstudio.overview.use_cases.catalogue import use_cases
from gptstudio.review.models import ReviewItem
from gptstudio.review.wording import wording_of
from gptstudio.web import live
from gptstudio.web.access import MemberRequest, member_page
from gptstudio.web.road import Step, steps
from serving_app.selectors import reached_of, totals
from training_app.models import FineTuningJob
from training_app.selectors import metrics_of
from training_app.web.curves import loss_chart

SHOWN = 6  # reviews; the queue has the rest


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for a person: what, what happens, and where to act. `stands_for`: how many there are of it."""

    title: str
    detail: str
    verb: str
    url: str
    stands_for: int = 1


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def home_road(found: selectors.Tally, job: FineTuningJob | None) -> list[Step]:
    """The road with everything that is on it."""
    curated = _plural(found.versions, "version")
    left = (job.progress or {}).get("eta_seconds") if job else None
    running = f"{found.running} running" + (f", {max(1, round(left / 60))} min left" if left else "")
    says = {
        "upload": (_plural(found.datasets, "data set"), reverse("datasets:list")),
        "curate": (f"{found.building} being made" if found.building else curated, reverse("datasets:list")),
        "train": (running if found.running else _plural(found.jobs, "fine-tune"), reverse("training:jobs")),
        "evaluate": (_plural(found.models, "model"), reverse("training:models")),
        "release": (f"{found.pending} waiting" if found.pending else "nothing waits", reverse("training:models")),
        "serve": (f"{found.deployments} live", reverse("serving:deployments")),
    }
    here = "train" if found.running else "curate" if found.building else "" if found.datasets else "upload"
    return steps(says, here=here, tones={"release": "warn"} if found.pending else {})


def _review_line(actor: Actor, item: ReviewItem) -> Waiting:
    names = {"model": "training:model", "version": "datasets:version"}
    own = actor.user_id in item.makers
    if actor.may("reviews.decide"):
        address = reverse("admin:review_reviewitem_change", args=[item.id])
        detail = "You made it: another person decides." if own else wording_of(item.kind).waits
        return Waiting(item.title, detail, "See why" if own else "Decide", address)
    detail = f"Asked for by {item.requested_by}. A reviewer decides."
    where = reverse(names[item.kind], args=[item.subject_id]) if item.kind in names else ""
    return Waiting(item.title, detail, "Look" if where else "", where)


def waiting_for(actor: Actor) -> list[Waiting]:
    """What waits for someone in the actor's workspace, the gravest first."""
    workspace_id, reviews = actor.workspace_id, selectors.pending_reviews(actor)
    found = [_review_line(actor, item) for item in reviews[:SHOWN]]
    if (more := reviews.count() - SHOWN) > 0:
        queue = reverse("admin:review_reviewitem_changelist") + "?state__exact=pending"
        may = actor.may("reviews.decide")
        found.append(
            Waiting(
                f"{more:,} more wait{'s' if more == 1 else ''} for a reviewer", "The newest stand above.",
                "Open the queue" if may else "", queue if may else "", stands_for=more,
            )
        )  # fmt: skip
    for job in selectors.failed_jobs(workspace_id):
        message = job.error.get("message", "Its log says more.")
        found.append(Waiting(f"{job.name} failed", message, "See", reverse("training:job", args=[job.id])))
    for version in selectors.failed_versions(workspace_id):
        message = version.error.get("message", "Its files are kept.")
        address = reverse("datasets:version", args=[version.id])
        found.append(Waiting(f"{version} could not be made", message, "See", address))
    for budget in reached_of(workspace_id):
        span, when = budget.span, " for this month" if budget.span.renews_at else ""
        title = f"The budget of the {budget.noun} {budget.name}{when} is {'used up' if span.is_spent else 'reached'}"
        detail = "Models refuse what does not fit into it." if span.is_spent else "You asked to be told."
        found.append(Waiting(title, detail, "See", reverse("serving:budgets")))
    for model in selectors.unasked_models(workspace_id):
        address = reverse("training:model", args=[model.id])
        found.append(Waiting(f"{model} is evaluated", "It answers programs once it is released.", "Look", address))
    return found


def _sentence(found: selectors.Tally, waiting: int) -> str:
    runs = f"{_plural(found.running, 'fine-tune')} {'is' if found.running == 1 else 'are'} running"
    waits = f"{_plural(waiting, 'thing')} wait{'s' if waiting == 1 else ''} for someone"
    if found.running and waiting:
        return f"{runs}, and {waits}."
    return (
        f"{runs}." if found.running else f"{waits[0].upper()}{waits[1:]}." if waiting else "Nothing waits for anyone."
    )


def _greeting() -> str:
    hour = timezone.localtime().hour
    return "Good morning" if 4 <= hour < 12 else "Good afternoon" if hour < 18 and hour >= 12 else "Good evening"


def _running(job: FineTuningJob | None) -> dict[str, Any]:
    """The running card: the job, its curve, and a mark of what is shown."""
    points = list(metrics_of(job)) if job is not None else []
    seen = (job.id, job.state, job.phase, job.progress, len(points)) if job is not None else ()
    total = (job.plan or {}).get("steps", 0) if job is not None else 0
    return {
        "job": job,
        "chart": loss_chart(points, total=total),
        "narrow": loss_chart(points, total=total, width=400),
        "mark": live.mark_of(seen),
    }


@member_page("workspace.view")
def home(request: MemberRequest) -> HttpResponse:
    """The whole page."""
    actor = request.actor
    found = selectors.tally(actor.workspace_id)
    job = selectors.newest_running(actor.workspace_id) if found.running else None
    waiting, today = waiting_for(actor), selectors.answers_today(actor.workspace_id)
    count = sum(each.stands_for for each in waiting)
    context = {
        "tally": found,
        "greeting": _greeting(),
        "sentence": _sentence(found, count),
        "steps": home_road(found, job),
        "waiting": waiting,
        "waiting_count": count,
        "today": today,
        "use_cases": use_cases(),
        "spent": totals(actor.workspace_id, since=today["since"]),
        **_running(job),
    }
    return render(request, "overview/home.html", context)


@member_page("workspace.view")
def running(request: MemberRequest) -> HttpResponse:
    """The running card by itself, every two seconds."""
    job = selectors.newest_running(request.actor.workspace_id)
    context = _running(job)
    return live.part(request, "overview/running.html", context, mark=context["mark"], is_over=job is None)
