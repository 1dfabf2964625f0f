"""Making a version: the recipe, progress while it is made, stopping and trying again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from datasets_app import recipes, selectors, services
from datasets_app.models import FileState, VersionState
from datasets_app.web.forms import RecipeForm, usual
from gptstudio.core.errors import StudioError
from gptstudio.web import live
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page

UNDER_WAY = (VersionState.QUEUED, VersionState.BUILDING)


@member_page("datasets.edit", FORM)
def new(request: MemberRequest, dataset_id: str) -> HttpResponse:
    """Choose recipe, split and base model, and have the version made."""
    dataset = selectors.dataset_of(request.actor.workspace_id, dataset_id)
    files = [file for file in selectors.live_files(dataset) if file.state != FileState.ERROR]
    tokenizers = list(selectors.tokenizers(request.actor.workspace_id))
    first = usual(files, model=tokenizers[0].name if tokenizers else "")
    form = RecipeForm(request.POST or None, initial=first, dataset_files=files, tokenizers=tokenizers)
    if request.method == "POST" and form.is_valid():
        chosen = [file for file in files if file.id in form.cleaned_data["files"]]
        try:
            version = services.create_version(request.actor, dataset=dataset, recipe=form.recipe(), files=chosen)
        except StudioError as error:
            form.refuse(error)
        else:
            return redirect("datasets:version", version.id)
    context = {
        "dataset": dataset,
        "files": files,
        "form": form,
        "presets": recipes.PRESETS,
        "hints": recipes.STEP_HINTS,
        "chosen_preset": form["preset"].value(),
    }
    return render(request, "datasets/version_new.html", context, status=400 if form.errors else 200)


@member_page("datasets.view")
def progress(request: MemberRequest, version_id: str) -> HttpResponse:
    """How far a version is, every two seconds; the page is loaded again when it is done."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    mark = live.mark_of(version.state, version.progress, version.cancel_requested)
    context = {"version": version}
    is_over = version.state not in UNDER_WAY
    return live.part(request, "datasets/parts/progress.html", context, mark=mark, is_over=is_over)


@member_page("datasets.edit", ACT)
def cancel(request: MemberRequest, version_id: str) -> HttpResponse:
    """Stop making a version."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    services.cancel_version(request.actor, version=version)
    messages.success(request, "It stops within seconds. The files stay.")
    return redirect("datasets:version", version.id)


@member_page("datasets.edit", ACT)
def retry(request: MemberRequest, version_id: str) -> HttpResponse:
    """Make a failed version again."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    services.retry_version(request.actor, version=version)
    return redirect("datasets:version", version.id)
