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
from gptstudio.overview.under_way import lines_of
from gptstudio.overview.use_cases.catalogue import use_cases
from gptstudio.review.models import ReviewItem
from gptstudio.review.wording import wording_of
from gptstudio.web import live
from gptstudio.web.access import MemberRequest, member_page
from gptstudio.web.road import Step, steps
from serving_app import months
from serving_app.selectors import reached_of, spent_by_month, totals
from training_app.models import FineTuningJob
from training_app.selectors.curves import curve_of
from training_app.web.curves import loss_chart

SHOWN = 6  # reviews; the queue has the rest


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for a person: what, for whom, what happens, and where to act. `stands_for`: how many of it."""

    title: str
    detail: str
    verb: str
    url: str
    stands_for: int = 1
    whom: str = "a reviewer"


def _maker(actor: Actor, made_by: Any) -> str:
    """Whom a thing waits for that somebody made: the person who looks, that somebody by name, or whoever may."""
    return "you" if made_by and made_by.id == actor.user_id else str(made_by or "whoever may")


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
    if item.escalated_at is not None and actor.may("reviews.decide") and not actor.may("reviews.take_over"):
        address = reverse("admin:review_reviewitem_change", args=[item.id])
        return Waiting(item.title, "It was handed up to the admins.", "Look", address, whom="an admin")
    if actor.may("reviews.decide"):
        address = reverse("admin:review_reviewitem_change", args=[item.id])
        detail = "You made it: another person decides." if own else wording_of(item.kind).waits
        whom = "another reviewer" if own else "you"
        return Waiting(item.title, detail, "See why" if own else "Decide", address, whom=whom)
    detail = f"Asked for by {item.requested_by}. A reviewer decides."
    where = reverse(names[item.kind], args=[item.subject_id]) if item.kind in names else ""
    return Waiting(item.title, detail, "Look" if where else "", where)


def waiting_for(actor: Actor) -> list[Waiting]:
    """What waits for someone in the actor's workspace, the gravest first."""
    workspace_id, reviews = actor.workspace_id, selectors.pending_reviews(actor)
    found = [_review_line(actor, item) for item in reviews[:SHOWN]]
    if (more := reviews.count() - SHOWN) > 0:
        queue = reverse("admin:review_reviewitem_changelist")
        may = actor.may("reviews.decide")
        found.append(
            Waiting(
                f"{more:,} more wait{'s' if more == 1 else ''} for a reviewer", "The newest stand above.",
                "Open the queue" if may else "", queue if may else "", stands_for=more,
            )
        )  # fmt: skip
    for job in selectors.failed_jobs(workspace_id):
        message = job.error.get("message", "Its log says more.")
        address = reverse("training:job", args=[job.id])
        found.append(Waiting(f"{job.name} failed", message, "See", address, whom=_maker(actor, job.created_by)))
    for version in selectors.failed_versions(workspace_id):
        message = version.error.get("message", "Its files are kept.")
        address = reverse("datasets:version", args=[version.id])
        whom = _maker(actor, version.created_by)
        found.append(Waiting(f"{version} could not be made", message, "See", address, whom=whom))
    for budget in reached_of(workspace_id):
        span, when = budget.span, " for this month" if budget.span.renews_at else ""
        title = f"The budget of the {budget.noun} {budget.name}{when} is {'used up' if span.is_spent else 'reached'}"
        detail = "Models refuse what does not fit into it." if span.is_spent else "You asked to be told."
        found.append(Waiting(title, detail, "See", reverse("serving:budgets"), whom="an admin"))
    for model in selectors.unasked_models(workspace_id):
        address = reverse("training:model", args=[model.id])
        said, whom = "It answers programs once it is released.", _maker(actor, model.job and model.job.created_by)
        found.append(Waiting(f"{model} is evaluated", said, "Look", address, whom=whom))
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


def _running(workspace_id: str) -> dict[str, Any]:
    """The running card: every piece of work in a line, the newest fine-tune's curve, and a mark of what is shown."""
    jobs = selectors.running_jobs(workspace_id)
    job = jobs[0] if jobs else None  # what runs comes first
    points = curve_of(job) if job is not None else []
    lines = lines_of(workspace_id, jobs)
    total = (job.plan or {}).get("steps", 0) if job is not None else 0
    return {
        "lines": lines,
        "job": job,
        "chart": loss_chart(points, total=total),
        "narrow": loss_chart(points, total=total, width=400),
        "mark": live.mark_of(lines, len(points)),
    }


@member_page("workspace.view")
def home(request: MemberRequest) -> HttpResponse:
    """The whole page."""
    actor = request.actor
    found, shown = selectors.tally(actor.workspace_id), _running(actor.workspace_id)
    waiting, today = waiting_for(actor), selectors.answers_today(actor.workspace_id)
    count = sum(each.stands_for for each in waiting)
    this_month, last_month = spent_by_month(actor.workspace_id, today=months.today())
    context = {
        "tally": found,
        "greeting": _greeting(),
        "sentence": _sentence(found, count),
        "steps": home_road(found, shown["job"]),
        "waiting": waiting,
        "waiting_count": count,
        "today": today,
        "use_cases": use_cases(),
        "spent": totals(actor.workspace_id, since=today["since"]),
        "this_month": this_month,
        "last_month": last_month,
        "lately": selectors.lately(actor),
        **shown,
    }
    return render(request, "overview/home.html", context)


@member_page("workspace.view")
def running(request: MemberRequest) -> HttpResponse:
    """The running card by itself: every two seconds while something runs, every ten while nothing does.

    What is over changes the rest of the page, too, which is then loaded again.
    """
    context = _running(request.actor.workspace_id)
    unseen = set(request.GET.getlist("seen")) - {each.id for each in context["lines"]}
    ended = selectors.not_under_way(request.actor.workspace_id, unseen)
    return live.part(request, "overview/running.html", context, mark=context["mark"], is_over=bool(ended))
