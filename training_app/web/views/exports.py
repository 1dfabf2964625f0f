"""Models for elsewhere: the forms that one can be had in, asked for, taken, deleted."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect

from gptstudio.core.errors import StudioError
from gptstudio.core.streaming import attachment
from gptstudio.web import live
from gptstudio.web.access import ACT, MemberRequest, member_page
from gptstudio.web.once import made_once
from training_app import selectors, services
from training_app.models import ExportForm, ExportState, LanguageModel
from training_app.selectors.exports import architecture_of, export_of, exports_of, forms_of

FOR = {
    ExportForm.MERGED: "The adapter and its base model in one folder, for whatever reads transformers models.",
    ExportForm.GGUF_16: "One file for llama.cpp, Ollama and programs on them. Half the size of 32 bits, as good in use.",
    ExportForm.GGUF_32: "The same with every number whole, to make smaller files from.",
}
UNDER_WAY = (ExportState.QUEUED, ExportState.RUNNING)


def context_of(model: LanguageModel) -> dict[str, Any]:
    """Each form of the model with what was made of it, and whether something is on its way."""
    made = {each.form: each for each in exports_of(model)}
    forms = [(form, FOR[form], made.get(form)) for form in forms_of(model)]
    is_making = any(each.state in UNDER_WAY for each in made.values())
    has_gguf = any(form == ExportForm.GGUF_16 for form, _hint, _made in forms)
    return {
        "model": model,
        "forms": forms,
        "is_making": is_making,
        "without_gguf": "" if has_gguf else architecture_of(model) or "unknown",
        "mark": live.mark_of([(each.id, each.state) for each in made.values()]),
    }


@member_page("models.download")
def exports(request: MemberRequest, model_id: str) -> HttpResponse:
    """The table by itself, while something is being made."""
    found = context_of(selectors.model_of(request.actor.workspace_id, model_id))
    return live.part(request, "training/parts/exports.html", found, mark=found["mark"], is_over=not found["is_making"])


@member_page("models.download", ACT)
@made_once()
def make(request: MemberRequest, model_id: str) -> HttpResponse:
    """Have it made by a worker."""
    found = selectors.model_of(request.actor.workspace_id, model_id)
    try:
        asked = services.request_export(request.actor, model=found, form=request.POST.get("form", ""))
    except StudioError as error:
        messages.error(request, str(error))
    else:
        is_there = asked.state == ExportState.READY
        messages.success(request, "It is there already." if is_there else "It is being made. You may leave this page.")
    return redirect("training:model", found.id)


@member_page("models.download", ACT)
def take(request: MemberRequest, model_id: str, export_id: str) -> StreamingHttpResponse:
    """What was made. The log says who took it."""
    found = selectors.model_of(request.actor.workspace_id, model_id)
    package = services.take_export(request.actor, export=export_of(found, export_id))
    return attachment(package.pieces, name=package.name, kind=package.kind, size=package.size)


@member_page("models.download", ACT)
def delete(request: MemberRequest, model_id: str, export_id: str) -> HttpResponse:
    """Free the disk of it."""
    found = selectors.model_of(request.actor.workspace_id, model_id)
    services.delete_export(request.actor, export=export_of(found, export_id))
    messages.success(request, "Deleted. It can be made again.")
    return redirect("training:model", found.id)
