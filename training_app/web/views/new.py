"""A new fine-tune: presets, the pre-flight list, the drawer with every setting."""

from __future__ import annotations

import math

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render

from datasets_app.selectors import trainable_versions, version_is_cleared
from gptstudio.core.errors import StudioError
from gptstudio.web.access import FORM, MemberRequest, member_page
from training_app import presets, selectors, services
from training_app.preflight import preflight
from training_app.web.forms import METHOD_HINTS, JobForm

NEWEST = 100


def _form(request: MemberRequest, data: QueryDict | None) -> JobForm:
    versions = list(trainable_versions(request.actor.workspace_id)[:NEWEST])
    base_models = list(selectors.base_models_of(request.actor.workspace_id))
    cleared = next((each.id for each in versions if version_is_cleared(each)), None)
    wanted = request.GET.get("version", "")
    first = {
        "version": wanted or (cleared or ""),
        "base_model": request.GET.get("base_model") or (base_models[0].id if base_models else ""),
        "preset": "balanced",
        "method": "full",
    }
    return JobForm(data, initial=first, versions=versions, base_models=base_models)


@member_page("training.edit", FORM)
def new(request: MemberRequest) -> HttpResponse:
    """Choose, look at the list, start."""
    form = _form(request, request.POST or None)
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
    context = {
        "form": form,
        "presets": presets.PRESETS,
        "methods": [(choice, METHOD_HINTS[str(choice.data["value"])]) for choice in form["method"]],
        "chosen_preset": form["preset"].value(),
        "has_data": bool(form.versions),
    }
    return render(request, "training/job_new.html", context, status=400 if form.errors else 200)


@member_page("training.edit")
def checks(request: MemberRequest) -> HttpResponse:
    """The pre-flight list for what the form holds now, and what the run would be."""
    form = _form(request, request.GET)
    if not form.is_valid():
        return render(request, "training/parts/preflight.html", {"form": form})
    version, base_model = form.chosen_version, form.chosen_base_model
    rows = version.report.get("splits", {}).get("train", 0)
    try:
        settings = presets.resolve(
            preset_key=form.cleaned_data["preset"],
            method=form.cleaned_data["method"],
            requested=form.settings(),
            parameters=base_model.parameters,
            rows=rows,
            context_length=base_model.context_length,
            seed=form.cleaned_data["seed"] or 0,
        )
    except StudioError as error:
        form.refuse(error)
        return render(request, "training/parts/preflight.html", {"form": form})
    findings = preflight(version=version, base_model=base_model, hyperparameters=settings)
    batch = settings["batch_size"] * settings["gradient_accumulation_steps"]
    steps = math.ceil(math.ceil(rows / batch) * settings["n_epochs"])
    context = {
        "form": form,
        "findings": findings,
        "settings": settings,
        "rows": rows,
        "steps": steps,
        "has_class_weights": bool(version.class_weights),
    }
    return render(request, "training/parts/preflight.html", context)
