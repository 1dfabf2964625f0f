"""A search for settings begun: from a fine-tune, from a run that is set up, or from nothing."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from gptstudio.core.errors import StudioError
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.once import made_once
from training_app import presets, selectors, services
from training_app.web.forms import METHOD_HINTS
from training_app.web.sweep_form import PLACES, SweepForm, usual_for
from training_app.web.views.new import form_of, kept_from


def _made(data: QueryDict | None, *, initial: dict[str, Any], versions: Any, base_models: Any) -> SweepForm:
    version = next((each for each in versions if each.id == initial.get("version")), None)
    base_model = next((each for each in base_models if each.id == initial.get("base_model")), None)
    rows = version.report.get("splits", {}).get("train", 0) if version else 0
    usual = usual_for(initial, rows=rows, base_model=base_model)
    return SweepForm(data, initial=initial, versions=versions, base_models=base_models, usual=usual)


@member_page("training.edit", FORM)
@made_once()
def new(request: MemberRequest) -> HttpResponse:
    """Choose data and what to vary, and begin. `from` names a run whose settings are taken."""
    workspace_id, named = request.actor.workspace_id, request.GET.get("from")
    earlier = selectors.job_of(workspace_id, named) if named else None
    form = form_of(request, request.POST or None, _made)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            study = services.create_sweep(
                request.actor,
                workspace_id=workspace_id,
                version=form.chosen_version,
                base_model=form.chosen_base_model,
                space=form.space(),
                length=chosen["length"],
                preset=chosen["preset"],
                method=chosen["method"],
                hyperparameters=form.settings(),
                seed=chosen["seed"],
                name=chosen["name"],
                origin=earlier,
            )
        except StudioError as error:
            form.refuse(error, fields={**PLACES, "class_weights": ""})
        else:
            return redirect("training:study", study.id)
    context = {
        "form": form,
        "presets": presets.PRESETS,
        "methods": [(choice, METHOD_HINTS[str(choice.data["value"])]) for choice in form["method"]],
        "chosen_preset": form["preset"].value(),
        "has_data": bool(form.versions),
        "earlier": earlier,
    }
    return render(request, "training/sweep_new.html", context, status=400 if form.errors else 200)


@member_page("training.edit", ACT)
def search(request: MemberRequest) -> HttpResponse:
    """From the form of a fine-tune to that of a search, with what was filled in."""
    return redirect(f"{reverse('training:sweep-new')}?{kept_from(request)}")
