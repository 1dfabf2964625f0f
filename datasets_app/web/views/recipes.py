"""Recipes that the workspace keeps: the list, one to change, copies, two side by side."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from datasets_app import recipes as presets
from datasets_app import selectors, services
from datasets_app.models import CurationRecipe
from datasets_app.web import comparing, recipe_form
from datasets_app.web.forms import KeepForm
from gptstudio.core.errors import StudioError
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.lists import listed, put_away_choice
from gptstudio.web.once import made_once

AWAY = put_away_choice()
SORTS = {"name": "name", "changed": "changed_at"}


@member_page("datasets.view")
def recipes(request: MemberRequest) -> HttpResponse:
    """All recipes of the workspace."""
    is_away = bool(AWAY.chosen(request))
    rows = selectors.recipes_of(request.actor.workspace_id, archived=is_away)
    listing = listed(request, rows, sorts=SORTS, usual="name", find=["name"], choices=[AWAY])
    return render(request, "datasets/recipes.html", {"listing": listing, "is_away": is_away})


@member_page("datasets.edit", FORM)
def new(request: MemberRequest) -> HttpResponse:
    """A recipe from a preset, kept under a name."""
    return _form(request, None)


@member_page("datasets.edit", FORM)
def recipe(request: MemberRequest, recipe_id: str) -> HttpResponse:
    """One recipe to read and to change."""
    return _form(request, selectors.recipe_of(request.actor.workspace_id, recipe_id))


def _form(request: MemberRequest, found: CurationRecipe | None) -> HttpResponse:
    if request.method == "POST":
        return _answer(request, found)
    body = found.body if found else presets.preset(request.GET.get("preset", ""))["recipe"]
    told = {"system_prompt": body.get("system_prompt", ""), "canaries": body.get("canaries", [])}
    form = KeepForm(initial={"name": found.name if found else "", **told})
    context = {"recipe": found, "form": form, "cards": recipe_form.of_body(body), "presets": presets.PRESETS}
    return render(request, "datasets/recipe.html", context)


def _answer(request: MemberRequest, found: CurationRecipe | None) -> HttpResponse:
    wish, post = request.POST.get("act", ""), request.POST.copy()
    post.setlist("order", recipe_form.moved(post.getlist("order"), wish))
    form, cards = KeepForm(request.POST), recipe_form.of_post(post)
    if wish == "keep" and all([form.is_valid(), cards.is_valid()]):
        name, told = form.cleaned_data["name"], form.cleaned_data
        body = {**cards.body(), "system_prompt": told["system_prompt"].strip(), "canaries": told["canaries"]}
        try:
            if found:
                services.update_recipe(request.actor, recipe=found, name=name, body=body)
            else:
                services.create_recipe(request.actor, workspace_id=request.actor.workspace_id, name=name, body=body)
        except StudioError as error:
            if error.param == "recipe":
                cards.refuse(str(error))
            else:
                form.refuse(error)
        else:
            messages.success(request, f"“{name}” is kept. Versions made earlier stay as they are.")
            return redirect("datasets:recipes")
    context = {"recipe": found, "form": form, "cards": cards, "presets": presets.PRESETS}
    return render(request, "datasets/recipe.html", context, status=400 if wish == "keep" else 200)


@member_page("datasets.view")
def compare(request: MemberRequest) -> HttpResponse:
    """Two recipes, of versions or kept ones, line by line."""
    workspace_id = request.actor.workspace_id
    sides = [comparing.side(workspace_id, request.GET.get(name, "")) for name in ("a", "b")]
    lines = comparing.lines(*(each.body for each in sides if each)) if all(sides) else []
    context = {"sides": sides, "lines": lines, "choices": selectors.recipes_of(workspace_id)}
    return render(request, "datasets/recipe_compare.html", context)


@member_page("datasets.edit", ACT)
@made_once()
def copy(request: MemberRequest, recipe_id: str) -> HttpResponse:
    """The same steps under another name."""
    made = services.copy_recipe(request.actor, recipe=selectors.recipe_of(request.actor.workspace_id, recipe_id))
    return redirect("datasets:recipe", made.id)


@member_page("datasets.edit", ACT)
def archive(request: MemberRequest, recipe_id: str) -> HttpResponse:
    """Put a recipe away."""
    found = selectors.recipe_of(request.actor.workspace_id, recipe_id)
    services.archive_recipe(request.actor, recipe=found)
    messages.success(
        request, f"“{found.name}” is put away. Versions made with it keep their own copy. “Put away” shows it."
    )
    return redirect("datasets:recipes")


@member_page("datasets.edit", ACT)
def restore(request: MemberRequest, recipe_id: str) -> HttpResponse:
    """Bring a recipe back."""
    found = selectors.recipe_of(request.actor.workspace_id, recipe_id, also_archived=True)
    services.restore_recipe(request.actor, recipe=found)
    messages.success(request, f"“{found.name}” is back.")
    return redirect("datasets:recipes")
