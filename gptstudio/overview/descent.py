"""Pages across all apps: what a thing came from and what came of it; a person's data, found and erased."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from datasets_app import selectors as data
from datasets_app import services
from gptstudio.core.errors import Invalid, StudioError
from gptstudio.overview.erasure import Trace, emptied, erase_what_was_said, take_out_of_words, traced
from gptstudio.overview.lineage import lineage_of
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page


@member_page("datasets.view")
def lineage(request: MemberRequest, subject_id: str) -> HttpResponse:
    """Files, versions, models and deployments on the lines through one thing."""
    line = lineage_of(request.actor.workspace_id, subject_id)
    return render(request, "overview/lineage.html", {"line": line, "here": subject_id})


def _asked(request: MemberRequest) -> dict[str, Any]:
    row = request.POST.get("row", "").strip() or "1"
    if not (row.isascii() and row.isdecimal() and len(row) < 16 and int(row)):
        raise Invalid(
            f"{row[:40]!r} is no row number.", fix="Count the rows below the column names, from 1.", param="row"
        )
    return {
        "text": request.POST.get("text", "").strip()[:500],
        "file_id": request.POST.get("file", "").strip(),
        "row": int(row) - 1,
        "part": request.POST.get("part", "").strip(),
    }


@member_page("data.erase", FORM)
def erasure(request: MemberRequest) -> HttpResponse:
    """Look for a person; what was found, and what can be done about it."""
    context: dict[str, Any] = {"asked": {"row": ""}}
    status = 200
    if request.method == "POST":
        context["asked"] = request.POST
        try:
            context["trace"] = traced(request.actor, **_asked(request))
        except StudioError as error:
            context["error"], status = error, error.status
    return render(request, "overview/erasure.html", context, status=status)


@member_page("data.erase", ACT)
def erase_make(request: MemberRequest) -> HttpResponse:
    """Versions without it."""
    try:
        found: Trace = traced(request.actor, **_asked(request))
        made = services.create_erased_versions(
            request.actor, workspace_id=request.actor.workspace_id, trace=found.data, phrase=found.phrase
        )
    except StudioError as error:
        messages.error(request, str(error))
        return redirect("erasure")
    words = ", ".join(str(version) for version in made)
    messages.success(request, f"Made without it: {words}. Erase the older versions once these are ready.")
    return redirect("datasets:version", made[0].id)


@member_page("data.erase", ACT)
def erase_delete(request: MemberRequest) -> HttpResponse:
    """Old versions, uploads and what was said, emptied down to a tombstone; lists and recipes without it."""
    actor, reason, gone = request.actor, request.POST.get("reason", ""), []
    try:
        if request.POST.get("said"):
            said = erase_what_was_said(actor, text=request.POST.get("text", "")[:500], reason=reason)
            gone.append(f"{said.count:,} text{'' if said.count == 1 else 's'} of what was said")
        if request.POST.get("written"):
            written = take_out_of_words(actor, text=request.POST.get("text", "")[:500], reason=reason)
            gone.append(
                f"what {written.count:,} list{'' if written.count == 1 else 's'} of words or recipes said of it"
            )
        for version_id in request.POST.getlist("version"):
            version = data.version_of(actor.workspace_id, version_id)
            gone.append(str(emptied(actor, version=version, reason=reason)))
        for file in data.kept_uploads(actor.workspace_id).filter(id__in=request.POST.getlist("upload")):
            gone.append(services.erase_file(actor, file=file, reason=reason).name)
        if not gone:
            raise Invalid("Nothing was chosen.", fix="Tick what is to be erased.")
    except StudioError as error:
        messages.error(request, str(error))
    if gone:
        messages.success(request, f"Erased: {', '.join(gone)}. What is kept is that they were.")
    return redirect("erasure")
