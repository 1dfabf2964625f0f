"""A new fine-tune: presets, the list of what is wrong, what it will take, the drawer with every setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from datasets_app.selectors import trainable_versions, version_is_cleared, version_of
from gptstudio.core.errors import NotAllowed, StudioError
from gptstudio.web import live
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.once import made_once
from training_app import presets, selectors, services
from training_app.models import FineTuningJob
from training_app.web import looking_over
from training_app.web.forms import METHOD_HINTS, TITLES, JobForm

NEWEST = 100
PART = "training/parts/preflight.html"
FROM_QUERY = ("version", "base_model", "preset", "method", "name", "suffix", "class_weights", *TITLES)
Form = TypeVar("Form", bound=JobForm)


def form_of(request: MemberRequest, data: QueryDict | None, make: Callable[..., Form]) -> Form:
    """The form of a run, filled in from the address: by name, or with the settings of the run that `from` names."""
    workspace_id = request.actor.workspace_id
    versions = list(trainable_versions(workspace_id)[:NEWEST])
    base_models = list(selectors.starts_of(workspace_id))
    given = {name: value for name in FROM_QUERY if (value := request.GET.get(name))}
    earlier = selectors.job_of(workspace_id, request.GET["from"]) if request.GET.get("from") else None
    cleared = next((each.id for each in versions if version_is_cleared(each)), "")
    learnt = {each.id: each for each in versions}.get(given.get("version", cleared))
    first: dict[str, Any] = {
        "version": cleared,
        "base_model": base_models[0].id if base_models else "",
        "preset": (learnt.dataset.aim.get("preset") if learnt else None) or "balanced",
        "method": "full",
        **(_settings_of(earlier) if earlier else {}),
        **given,
    }
    wanted = (data.get("version") if data else None) or first["version"]
    if wanted and wanted not in {each.id for each in versions}:  # one that is being made may be chosen too
        versions.insert(0, version_of(workspace_id, wanted))
    return make(data, initial=first, versions=versions, base_models=base_models)


def kept_from(request: MemberRequest) -> str:
    """What the form was filled in with, as the query of another page."""
    return urlencode({name: value for name in FROM_QUERY if (value := request.POST.get(name))})


def _settings_of(job: FineTuningJob) -> dict[str, Any]:
    """What a run was asked for, to start another like it."""
    found = {
        "version": job.version_id,
        "base_model": job.base_model_id,
        "preset": job.preset,
        "method": job.method,
        "suffix": job.suffix,
        "seed": job.seed,
        **job.requested,
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


@member_page("training.edit", FORM)
@made_once()
def new(request: MemberRequest) -> HttpResponse:
    """Choose, look at the list, start. `from` names a run whose settings are taken."""
    form = form_of(request, request.POST or None, JobForm)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            job = services.create_job(
                request.actor,
                workspace_id=request.actor.workspace_id,
                base_model=form.chosen_base_model,
                version=form.chosen_version,
                preset=chosen["preset"],
                method=chosen["method"],
                hyperparameters=form.settings(),
                name=chosen["name"],
                suffix=chosen["suffix"],
                seed=chosen["seed"],
            )
        except StudioError as error:
            form.refuse(error, fields={"class_weights": ""})  # its box is not on every page
        else:
            return redirect("training:job", job.id)
    earlier = request.GET.get("from")
    context = {
        "form": form,
        "presets": presets.PRESETS,
        "methods": [(choice, METHOD_HINTS[str(choice.data["value"])]) for choice in form["method"]],
        "chosen_preset": form["preset"].value(),
        "has_data": bool(form.versions),
        "earlier": selectors.job_of(request.actor.workspace_id, earlier) if earlier else None,
    }
    return render(request, "training/job_new.html", context, status=400 if form.errors else 200)


def _part(request: MemberRequest, data: QueryDict, *, wanted: str = "") -> HttpResponse:
    form = form_of(request, data, JobForm)
    if not form.is_valid():
        return render(request, PART, {"form": form})
    try:
        asked = looking_over.asked_by(form)
        if wanted:
            looking_over.measure(request.actor, asked, wanted=wanted)
    except StudioError as error:
        form.refuse(error)
        return render(request, PART, {"form": form})
    context = looking_over.context_of(form, asked)
    return live.part(request, PART, context, mark=context["mark"])


@member_page("training.edit")
def checks(request: MemberRequest) -> HttpResponse:
    """What is wrong with the run that the form describes now, and what it will take."""
    return _part(request, request.GET)


@member_page("training.edit", ACT)
def measure(request: MemberRequest) -> HttpResponse:
    """Have the rows looked at with the model's tokenizer (`what=inspect`), or a few steps tried (`what=estimate`)."""
    wanted = request.POST.get("what", "")
    return _part(request, request.POST, wanted=wanted if wanted in ("inspect", "estimate") else "inspect")


@member_page("training.edit", ACT)
@made_once()
def more_data(request: MemberRequest) -> HttpResponse:
    """Would more data help? With the run that the form describes."""
    form = form_of(request, request.POST, JobForm)
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            study = services.create_learning_curve(
                request.actor,
                workspace_id=request.actor.workspace_id,
                version=form.chosen_version,
                base_model=form.chosen_base_model,
                preset=chosen["preset"],
                method=chosen["method"],
                hyperparameters=form.settings(),
                seed=chosen["seed"],
                name=chosen["name"],
            )
        except NotAllowed:
            raise
        except StudioError as error:
            messages.error(request, f"{error} {error.fix}")
        else:
            return redirect("training:study", study.id)
    else:
        messages.error(request, "Nothing was begun: a field of the form cannot be as it is. The list says which.")
    return redirect(f"{reverse('training:job-new')}?{kept_from(request)}")


@member_page("training.edit", ACT)
def derive(request: MemberRequest) -> HttpResponse:
    """Make the version that the chosen base model needs, and come back with it chosen."""
    form = form_of(request, request.POST, JobForm)
    kept = {name: value for name in FROM_QUERY if (value := request.POST.get(name))}
    if not form.is_valid():
        messages.error(request, "No version was made: a field of the form cannot be as it is. The list says which.")
        return redirect(f"{reverse('training:job-new')}?{urlencode(kept)}")
    try:
        version = services.derive_version(
            request.actor,
            version=form.chosen_version,
            base_model=form.chosen_base_model,
            max_length=form.cleaned_data["max_length"] or 0,
        )
    except NotAllowed:
        raise
    except StudioError as error:
        messages.error(request, f"{error} {error.fix}")
    else:
        kept["version"] = version.id
        messages.success(request, f"{version} is being made. You can start now: the run begins once it is ready.")
    return redirect(f"{reverse('training:job-new')}?{urlencode(kept)}")
