"""Making a version: the recipe, progress while it is made, stopping and trying again."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from datasets_app import recipes, selectors, services
from datasets_app.models import Dataset, DatasetFile, DatasetVersion, FileState, VersionState
from datasets_app.web import recipe_form
from datasets_app.web.forms import MakeForm
from datasets_app.web.recipe_form import RecipeForm
from gptstudio.core.errors import StudioError
from gptstudio.web import live
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.once import made_once

UNDER_WAY = (VersionState.QUEUED, VersionState.BUILDING)


def readable(dataset: Dataset) -> list[DatasetFile]:
    """The data set's files that a version can be made from."""
    return [file for file in selectors.live_files(dataset) if file.state != FileState.ERROR]


def first_body(request: MemberRequest, dataset: Dataset) -> recipes.Recipe:
    """What the page begins with: a kept recipe, an earlier version's with a step switched off, a preset, or the recipe of
    the use case that the data set began with."""
    workspace_id, asked = dataset.workspace_id, request.GET
    if asked.get("recipe"):
        return selectors.recipe_of(workspace_id, asked["recipe"]).body
    if asked.get("version"):
        body = copy.deepcopy(selectors.version_of(workspace_id, asked["version"]).recipe)
        for each in body["steps"]:
            each["enabled"] = each.get("enabled", True) and each["kind"] != asked.get("off")
        return body
    if not asked.get("preset") and dataset.aim.get("recipe"):
        return copy.deepcopy(dataset.aim["recipe"])
    return recipes.preset(asked.get("preset", ""))["recipe"]


def begun_from(request: MemberRequest, dataset: Dataset) -> DatasetVersion | None:
    """The version of this data set that the page began with: what was edited by hand in it stays so."""
    asked = request.GET.get("version")
    found = selectors.version_of(request.actor.workspace_id, asked) if asked else None
    return found if found is not None and found.dataset_id == dataset.id else None


def described(cards: RecipeForm, made: MakeForm) -> recipes.Recipe:
    """The recipe of both forms together: steps of the one, model, instructions and planted secrets of the other."""
    body = cards.body()
    body |= {"system_prompt": made.cleaned_data["system_prompt"].strip(), "canaries": made.cleaned_data["canaries"]}
    for each in body["steps"]:
        if each["kind"] == "tokens" and made.cleaned_data["base_model"]:
            each["options"]["model"] = made.cleaned_data["base_model"]
    return body


def page(dataset: Dataset, files: Sequence[DatasetFile], cards: RecipeForm, form: MakeForm) -> dict[str, Any]:
    """What the template of the recipe shows."""
    return {
        "dataset": dataset,
        "files": files,
        "form": form,
        "cards": cards,
        "presets": recipes.PRESETS,
        "kept": selectors.recipes_of(dataset.workspace_id),
    }


@member_page("datasets.edit", FORM)
@made_once()
def new(request: MemberRequest, dataset_id: str) -> HttpResponse:
    """Choose and change a recipe, and have the version made."""
    dataset = selectors.dataset_of(request.actor.workspace_id, dataset_id)
    files, tokenizers = readable(dataset), list(selectors.tokenizers(dataset.workspace_id))
    if request.method == "POST":
        return _answer(request, dataset, files, MakeForm(request.POST, dataset_files=files, tokenizers=tokenizers))
    body = first_body(request, dataset)
    first = {
        "files": [file.id for file in files],
        "base_model": recipes.model_of(body) or (tokenizers[0].name if tokenizers else ""),
        "system_prompt": body.get("system_prompt", ""),
        "canaries": body.get("canaries", []),
    }
    form = MakeForm(initial=first, dataset_files=files, tokenizers=tokenizers)
    started = request.GET.get("recipe") or request.GET.get("preset") or ""
    context = page(dataset, files, recipe_form.of_body(body), form) | {"started": started}
    return render(request, "datasets/version_new.html", context)


def _answer(request: MemberRequest, dataset: Dataset, files: Sequence[DatasetFile], form: MakeForm) -> HttpResponse:
    """Make the version, keep the recipe, or show the page again with a step moved."""
    wish = request.POST.get("act", "")
    post = request.POST.copy()
    post.setlist("order", recipe_form.moved(post.getlist("order"), wish))
    cards = recipe_form.of_post(post)
    if wish in ("make", "keep") and all([form.is_valid(), cards.is_valid()]):
        try:
            return _done(request, dataset, files, form, described(cards, form), keep=wish == "keep")
        except StudioError as error:
            if error.param == "recipe":
                cards.refuse(str(error))
            else:
                form.refuse(error)
    is_wrong = wish in ("make", "keep")
    context = page(dataset, files, cards, form)
    return render(request, "datasets/version_new.html", context, status=400 if is_wrong else 200)


def _done(
    request: MemberRequest,
    dataset: Dataset,
    files: Sequence[DatasetFile],
    form: MakeForm,
    body: recipes.Recipe,
    *,
    keep: bool,
) -> HttpResponse:
    if keep:
        kept = services.create_recipe(
            request.actor, workspace_id=dataset.workspace_id, name=form.cleaned_data["name"], body=body
        )
        messages.success(request, f"“{kept.name}” is kept. Every data set of this workspace can use it.")
        return redirect(f"{request.path}?recipe={kept.id}")
    chosen = [file for file in files if file.id in form.cleaned_data["files"]]
    version = services.create_version(
        request.actor, dataset=dataset, recipe=body, files=chosen, parent=begun_from(request, dataset)
    )
    return redirect("datasets:version", version.id)


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
