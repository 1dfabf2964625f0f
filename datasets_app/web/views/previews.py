"""What a recipe would do: asked for, followed while a worker counts, stopped. It runs nothing itself."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from datasets_app import selectors, services
from datasets_app.models import PreviewState, RecipePreview
from datasets_app.web import effects, recipe_form
from datasets_app.web.forms import MakeForm
from datasets_app.web.views.building import begun_from, described, readable
from gptstudio.core.errors import StudioError
from gptstudio.web import live
from gptstudio.web.access import ACT, MemberRequest, member_page

PART = "datasets/parts/effects.html"
UNDER_WAY = (PreviewState.QUEUED, PreviewState.RUNNING)


def _context(preview: RecipePreview) -> dict[str, object]:
    return {
        "preview": preview,
        "is_busy": preview.state in UNDER_WAY,
        "effects": effects.of_result(preview.result, preview.recipe),
        "mark": live.mark_of(str(preview.state), preview.progress, preview.cancel_requested),
    }


@member_page("datasets.edit", ACT)
def start(request: MemberRequest, dataset_id: str) -> HttpResponse:
    """Have counted what the form's recipe would do; the answer is the part that follows the counting."""
    dataset = selectors.dataset_of(request.actor.workspace_id, dataset_id)
    files = readable(dataset)
    form = MakeForm(request.POST, dataset_files=files, tokenizers=selectors.tokenizers(dataset.workspace_id))
    cards = recipe_form.of_post(request.POST)
    if not all([form.is_valid(), cards.is_valid()]):
        return render(request, PART, {"fault": _first_fault(form, cards)})
    chosen = [file for file in files if file.id in form.cleaned_data["files"]]
    try:
        preview = services.create_preview(
            request.actor,
            dataset=dataset,
            recipe=described(cards, form),
            files=chosen,
            parent=begun_from(request, dataset),
        )
    except StudioError as error:
        return render(request, PART, {"fault": str(error)})
    return render(request, PART, _context(preview))


def _first_fault(form: MakeForm, cards: recipe_form.RecipeForm) -> str:
    """One sentence about what is wrong, with the field's title."""
    for each in (form, *(card.form for card in cards.cards)):
        for name, errors in each.errors.items():
            title = each.fields[name].label if name in each.fields else ""
            return f"{title}: {errors[0]}" if title else str(errors[0])
    return "Something in the recipe is not complete."


@member_page("datasets.edit")
def live_part(request: MemberRequest, preview_id: str) -> HttpResponse:
    """How far the counting is, every second; then what each step would do, beside its card."""
    preview = selectors.preview_of(request.actor.workspace_id, preview_id)
    context = _context(preview)
    return live.part(request, PART, context, mark=str(context["mark"]))


@member_page("datasets.edit", ACT)
def cancel(request: MemberRequest, preview_id: str) -> HttpResponse:
    """Stop counting."""
    preview = selectors.preview_of(request.actor.workspace_id, preview_id)
    preview = services.cancel_preview(request.actor, preview=preview)
    return render(request, PART, _context(preview))
