"""Begin with a use case: the choice of them, and the one click that makes a data set of one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from gptstudio.overview.use_cases.catalogue import use_case, use_cases
from gptstudio.overview.use_cases.starting import start_use_case
from gptstudio.web.access import ACT, MemberRequest, member_page
from gptstudio.web.once import made_once


@member_page("datasets.edit")
def begin(request: MemberRequest) -> HttpResponse:
    """The use cases; home shows the same to a workspace that has nothing yet."""
    return render(request, "overview/begin.html", {"use_cases": use_cases()})


@member_page("datasets.edit", ACT)
@made_once()
def start(request: MemberRequest, use_case_key: str) -> HttpResponse:
    """A data set of the sample, on to its recipe; with `own`, an empty one, on to where files are dropped."""
    case, is_own = use_case(use_case_key), bool(request.POST.get("own"))
    dataset = start_use_case(request.actor, workspace_id=request.actor.workspace_id, case=case, with_sample=not is_own)
    if is_own:
        said = f"{dataset.name} is ready for your file. Its recipe, its preset and its questions wait there already."
        messages.success(request, said)
        return redirect("datasets:dataset", dataset.id)
    said = f"{case.file} is in, {case.rows} rows that were made up for this. Look at the steps, then make the version."
    messages.success(request, said)
    return redirect("datasets:version-new", dataset.id)
