"""Models: the list, one with its verdict and release state, asking for release, taking it back, base models."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models.functions import Lower
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render

from gptstudio.accounts.models import ReleasePolicy
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, StudioError
from gptstudio.core.streaming import attachment
from gptstudio.review.models import ReviewItem, ReviewState
from gptstudio.review.selectors import item_about
from gptstudio.review.services import check_may_decide, decide
from gptstudio.web import live
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.lists import Sorts, by_field, listed
from training_app import selectors, services
from training_app.models import ImportState, LanguageModel, ModelKind
from training_app.selectors.imports import import_of_model, imports_of
from training_app.selectors.space import spare_bytes
from training_app.web import verdicts
from training_app.web.forms import BaseModelForm, ReasonForm
from training_app.web.views import exports

SORTS: Sorts = {"name": Lower("name"), "base": "base__name", "made": "created_at"}
KINDS = by_field("kind", "Kind", ModelKind.choices)
SHOWN = 20


@member_page("models.view")
def models(request: MemberRequest) -> HttpResponse:
    """Base models first, then the workspace's own, each with its verdict and release."""
    workspace_id = request.actor.workspace_id
    rows = selectors.models_of(workspace_id)
    listing = listed(request, rows, sorts=SORTS, usual="", find=["name", "title"], choices=[KINDS])
    states = selectors.release_states(workspace_id, [model.id for model in listing.span.rows])
    shown = []
    for model in listing.span.rows:
        evaluation = getattr(model, "evaluation", None)
        state = ReviewState.APPROVED if model.kind == ModelKind.BASE else states.get(model.id, "")
        shown.append((model, verdicts.verdict(evaluation) if evaluation else None, state))
    return render(request, "training/models.html", {"listing": listing, "shown": shown, **_imports(request)})


def _may_release_alone(request: MemberRequest, item: ReviewItem | None) -> bool:
    """Under the policy `self` whoever made the model decides, with a reason, on its page."""
    workspace = request.membership.workspace
    mine = item is not None and item.state == ReviewState.PENDING and request.actor.user_id in item.makers
    return mine and workspace.release_policy == ReleasePolicy.SELF and request.actor.may("models.request_release")


def _may_take_back(request: MemberRequest, item: ReviewItem | None) -> bool:
    if item is None or item.state != ReviewState.APPROVED:
        return False
    policy = request.membership.workspace.release_policy
    try:
        check_may_decide(request.actor, item=item, policy=policy, verdict=ReviewState.REJECTED)
    except NotAllowed:
        return False
    return True


@member_page("models.view")
def model(request: MemberRequest, model_id: str) -> HttpResponse:
    """One model: what it scores, whether it is released, where it comes from."""
    found = selectors.model_of(request.actor.workspace_id, model_id)
    return render(request, "training/model.html", _context(request, found))


def _context(request: MemberRequest, found: LanguageModel, form: ReasonForm | None = None) -> dict[str, Any]:
    evaluation = getattr(found, "evaluation", None)
    item = item_about(found.id, kind="model")
    is_here = found.workspace_id is not None and found.archived_at is None
    is_own = is_here and found.kind == ModelKind.FINE_TUNE
    return {
        "model": found,
        "evaluation": evaluation,
        "verdict": verdicts.verdict(evaluation) if evaluation else None,
        "scores": verdicts.scores(evaluation) if evaluation else [],
        "checks": verdicts.checks_of(evaluation.safety) if evaluation else [],
        "item": item,
        "fetched": import_of_model(found) if found.kind == ModelKind.BASE else None,
        "went_on": list(selectors.made_from(found)[:SHOWN]) if found.kind == ModelKind.FINE_TUNE else [],
        "decisions": list(item.decisions.all()) if item else [],
        "is_released": selectors.is_released(found),
        "can_ask": is_own and evaluation and (item is None or item.state == ReviewState.REJECTED),
        "can_release": _may_release_alone(request, item),
        "can_take_back": _may_take_back(request, item),
        "form": form or ReasonForm(),
        **(_archiving(found) if is_here and request.actor.may(services.archiving_needs(found)) else {}),
        **(exports.context_of(found) if request.actor.may("models.download") else {}),
    }


def _archiving(found: LanguageModel) -> dict[str, Any]:
    """Whether it can be put away, and how much that frees."""
    hindrance = services.hindrance(found)
    return {"may_archive": True, "hindrance": hindrance, "frees": 0 if hindrance else spare_bytes(found)}


@member_page("models.request_release", ACT)
def ask(request: MemberRequest, model_id: str) -> HttpResponse:
    """Put the model before a reviewer, with its scores as evidence."""
    found = selectors.model_of(request.actor.workspace_id, model_id)
    services.request_release(request.actor, model=found)
    messages.success(request, "Asked. It waits in the review queue, with its scores and its safety report.")
    return redirect("training:model", found.id)


def _decided(request: MemberRequest, model_id: str, verdict: str) -> HttpResponse:
    found = selectors.model_of(request.actor.workspace_id, model_id)
    item = item_about(found.id, kind="model")
    if item is None:
        raise Conflict("Nobody has asked for this model's release.", fix="Ask for it first.")
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            decide(request.actor, item=item, verdict=verdict, reason=form.cleaned_data["reason"])
        except Invalid as error:
            form.refuse(error)
        else:
            said = "Released: programs can ask it." if verdict == ReviewState.APPROVED else "Taken back."
            messages.success(request, f"{said} Engines follow within seconds.")
            return redirect("training:model", found.id)
    return render(request, "training/model.html", _context(request, found, form), status=400)


@member_page("models.request_release", ACT)
def release(request: MemberRequest, model_id: str) -> HttpResponse:
    """Release alone, where the workspace's policy lets one person decide."""
    return _decided(request, model_id, ReviewState.APPROVED)


@member_page("models.take_back", ACT)
def withdraw(request: MemberRequest, model_id: str) -> HttpResponse:
    """Take a released model back, as a reviewer or as who made it."""
    return _decided(request, model_id, ReviewState.REJECTED)


@member_page("models.download", ACT)
def take(request: MemberRequest, model_id: str) -> StreamingHttpResponse:
    """The model's folder as a zip. The log says who took it."""
    package = services.take_model(request.actor, model=selectors.model_of(request.actor.workspace_id, model_id))
    return attachment(package.pieces, name=package.name, kind=package.kind)


@member_page("models.view")
def card(request: MemberRequest, model_id: str) -> HttpResponse:
    """Verdict, scores, safety and limits as one Markdown file."""
    found = selectors.model_of(request.actor.workspace_id, model_id)
    answer = HttpResponse(services.card_of(found), content_type="text/markdown; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{found.id}.md"'
    return answer


def _registered(request: MemberRequest, given: dict[str, Any]) -> HttpResponse:
    workspace_id, named = request.actor.workspace_id, {key: given[key] for key in ("name", "licence", "embeds")}
    if given["hub_id"]:
        asked = services.request_import(
            request.actor, workspace_id=workspace_id, hub_id=given["hub_id"], revision=given["revision"], **named
        )
        messages.success(request, f"{asked.hub_id} is being fetched. It is listed here once it is registered.")
        return redirect("training:models")
    found = services.register_base_model(request.actor, workspace_id=workspace_id, path=given["path"], **named)
    messages.success(request, f"{found.name} is registered: you can fine-tune it.")
    return redirect("training:model", found.id)


@member_page("models.view")
def imports(request: MemberRequest) -> HttpResponse:
    """Base models on their way, by themselves, while one is being fetched."""
    found = _imports(request)
    part = "training/parts/imports.html"
    return live.part(request, part, found, mark=found["mark"], is_over=not found["is_fetching"])


def _imports(request: MemberRequest) -> dict[str, Any]:
    """What is on its way, at most ten with the newest first, and a mark of it."""
    found = list(imports_of(request.actor.workspace_id)[:10])
    return {
        "imports": found,
        "is_fetching": any(each.state != ImportState.FAILED for each in found),
        "mark": live.mark_of([(each.id, each.state, each.progress) for each in found]),
    }


@member_page("base_models.register", FORM)
def register(request: MemberRequest) -> HttpResponse:
    """Register a folder as a base model, or have one fetched from the hub."""
    form = BaseModelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return _registered(request, form.cleaned_data)
        except StudioError as error:
            form.refuse(error)
    return render(request, "training/model_register.html", {"form": form}, status=400 if form.errors else 200)
