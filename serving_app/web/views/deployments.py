"""Deployments: the list, a new one, one with its revisions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Max, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render

from gptstudio.core.errors import StudioError
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.lists import Choice, Sorts, listed
from gptstudio.web.once import made_once
from gptstudio.web.paging import page_of
from serving_app import selectors, services
from serving_app.models import Deployment, DeploymentRevision
from serving_app.web.forms import DeploymentForm, SharesForm
from training_app.models import LanguageModel
from training_app.selectors import models_of
from training_app.selectors.choosing import models_to_choose

SHARE = "share_"  # before a model's id, as a field of the form

SORTS: Sorts = {"name": "name", "revision": "newest_number", "since": "newest_at"}
STATES = Choice(
    "state", "State", {"on": ("Let answer", Q(stopped_at=None)), "stopped": ("Stopped", Q(stopped_at__isnull=False))}
)


@dataclass(frozen=True, slots=True)
class Target:
    """A model of a revision: its share in per cent, and whether an engine answers for it."""

    model: LanguageModel | None
    share: float
    answers: bool
    problem: str


def released(workspace_id: str, *, also: Collection[str] = ()) -> list[LanguageModel]:
    """The models that can be deployed: of fine-tunes the newest, and those of `also`."""
    return models_to_choose(workspace_id, also=also)


def _sent(request: MemberRequest) -> list[str]:
    """The models that a form of shares names."""
    return [name.removeprefix(SHARE) for name in request.POST if name.startswith(SHARE)]


class Shown:
    """Turns revisions into targets with two queries, whatever their number."""

    def __init__(self, workspace_id: str, revisions: Iterable[DeploymentRevision | None]) -> None:
        used = {each["model"] for revision in revisions if revision for each in revision.targets}
        self.models = {model.id: model for model in models_of(workspace_id).filter(id__in=used)}
        self.replicas = [each for each in selectors.replicas() if each.is_up]
        self.problems = {name: why for each in self.replicas for name, why in each.problems.items()}

    def targets(self, revision: DeploymentRevision | None) -> list[Target]:
        """The revision's models, the largest share first."""
        if revision is None:
            return []
        whole = sum(each["weight"] for each in revision.targets) or 1
        found = [self._target(each, whole) for each in revision.targets]
        return sorted(found, key=lambda target: -target.share)

    def _target(self, each: dict[str, Any], whole: int) -> Target:
        model = self.models.get(each["model"])
        is_loaded = model is not None and any(selectors.name_on(replica, model) for replica in self.replicas)
        problem = self.problems.get(model.engine_name, "") if model else ""
        return Target(model, 100 * each["weight"] / whole, is_loaded, problem)


def _current(deployment: Deployment) -> DeploymentRevision | None:
    return next(iter(selectors.revisions_of(deployment)), None)


@member_page("deployments.view")
def deployments(request: MemberRequest) -> HttpResponse:
    """What is in service."""
    found = selectors.deployments_of(request.actor.workspace_id)
    found = found.alias(newest_number=Max("revisions__number"), newest_at=Max("revisions__created_at"))
    found = found.order_by("-created_at", "-id")  # grouped rows have no order of their own
    listing = listed(request, found, sorts=SORTS, usual="", find=["name"], choices=[STATES])
    current = {each.id: _current(each) for each in listing.span.rows}
    shown = Shown(request.actor.workspace_id, current.values())
    rows = [(each, current[each.id], shown.targets(current[each.id])) for each in listing.span.rows]
    return render(request, "serving/deployments.html", {"listing": listing, "rows": rows})


@member_page("deployments.edit", FORM)
@made_once()
def new(request: MemberRequest) -> HttpResponse:
    """A name and shares."""
    wanted = request.GET.get("model", "")
    models = released(request.actor.workspace_id, also=[wanted, *_sent(request)])
    form = DeploymentForm(request.POST or None, models=models, shares={wanted: 100})
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_deployment(
                request.actor,
                workspace_id=request.actor.workspace_id,
                name=form.cleaned_data["name"],
                targets=form.targets(),
            )
        except StudioError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{made.name} answers as soon as an engine holds its model.")
            return redirect("serving:deployment", made.id)
    context = {"form": form, "has_models": bool(models)}
    return render(request, "serving/deployment_new.html", context, status=400 if form.errors else 200)


def _page(request: MemberRequest, found: Deployment, form: SharesForm | None = None) -> dict[str, Any]:
    current, span = _current(found), page_of(request, selectors.revisions_of(found).order_by("-number"))
    shown = Shown(request.actor.workspace_id, [current, *span.rows])
    weights = {each["model"]: each["weight"] for each in current.targets} if current else {}
    return {
        "deployment": found,
        "current": current,
        "stopped": selectors.current_stop(found),
        "targets": shown.targets(current),
        "span": span,
        "revisions": [(each, shown.targets(each)) for each in span.rows],
        "form": form or SharesForm(models=released(request.actor.workspace_id, also=weights), shares=weights),
        "base": request.build_absolute_uri("/v1"),
    }


@member_page("deployments.view")
def deployment(request: MemberRequest, deployment_id: str) -> HttpResponse:
    """One deployment: who answers, and what it was before."""
    found = selectors.deployment_of(request.actor.workspace_id, deployment_id)
    return render(request, "serving/deployment.html", _page(request, found))


@member_page("deployments.edit", ACT)
@made_once()
def update(request: MemberRequest, deployment_id: str) -> HttpResponse:
    """Other models or shares: a new revision."""
    found = selectors.deployment_of(request.actor.workspace_id, deployment_id)
    form = SharesForm(request.POST, models=released(request.actor.workspace_id, also=_sent(request)))
    if form.is_valid():
        try:
            revision = services.update_deployment(
                request.actor, deployment=found, targets=form.targets(), note=form.cleaned_data["note"]
            )
        except StudioError as error:
            form.refuse(error)
        else:
            messages.success(request, f"Revision {revision.number} is in force.")
            return redirect("serving:deployment", found.id)
    return render(request, "serving/deployment.html", _page(request, found, form), status=400)


@member_page("deployments.edit", ACT)
def roll_back(request: MemberRequest, deployment_id: str) -> HttpResponse:
    """A new revision like an earlier one."""
    found = selectors.deployment_of(request.actor.workspace_id, deployment_id)
    raw = request.POST.get("number", "")
    number = int(raw) if raw.isascii() and raw.isdigit() else None
    revision = services.roll_back(request.actor, deployment=found, number=number)
    messages.success(request, f"{revision.note}: it is revision {revision.number} now.")
    return redirect("serving:deployment", found.id)


@member_page("deployments.edit", ACT)
def retire(request: MemberRequest, deployment_id: str) -> HttpResponse:
    """Stop answering under the name."""
    found = selectors.deployment_of(request.actor.workspace_id, deployment_id)
    services.retire_deployment(request.actor, deployment=found)
    messages.success(request, f"{found.name} is retired. Its models stay, under their own names.")
    return redirect("serving:deployments")


@member_page("deployments.stop", ACT)
def stop(request: MemberRequest, deployment_id: str) -> HttpResponse:
    """The kill switch."""
    found = selectors.deployment_of(request.actor.workspace_id, deployment_id)
    services.stop_deployment(request.actor, deployment=found, reason=request.POST.get("reason", ""))
    messages.success(request, f"{found.name} is stopped. Programs that call it get an error from now on.")
    return redirect("serving:deployment", found.id)


@member_page("deployments.stop", ACT)
def lift(request: MemberRequest, deployment_id: str) -> HttpResponse:
    """Let it answer again."""
    found = selectors.deployment_of(request.actor.workspace_id, deployment_id)
    services.lift_stop(request.actor, deployment=found, reason=request.POST.get("reason", ""))
    messages.success(request, f"{found.name} answers again.")
    return redirect("serving:deployment", found.id)
