"""Data sets: the list, a new one, one with its files and versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from datasets_app import selectors, services
from datasets_app.models import Dataset, DatasetFile, DatasetVersion, FileState, VersionState
from datasets_app.web import wording
from datasets_app.web.forms import DatasetForm, UploadForm
from datasets_app.web.views.files import keep_files, landed
from gptstudio.core.bodies import takes_uploads
from gptstudio.core.errors import StudioError
from gptstudio.web import live
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.lists import Sorts, by_field, listed, put_away_choice
from gptstudio.web.once import made_once

SORTS: Sorts = {"name": Lower("name"), "files": "file_count", "versions": "version_count", "made": "created_at"}
AWAY = put_away_choice()
STATES = by_field("state", "State", VersionState.choices)
UNDER_WAY = (VersionState.QUEUED, VersionState.BUILDING)


@member_page("datasets.view")
def datasets(request: MemberRequest) -> HttpResponse:
    """The list."""
    is_away = bool(AWAY.chosen(request))
    rows = selectors.datasets_of(request.actor.workspace_id, archived=is_away).order_by("-created_at", "-id")
    listing = listed(request, rows, sorts=SORTS, usual="-made", find=["name"], choices=[AWAY])
    newest = selectors.newest_versions(request.actor.workspace_id, [dataset.id for dataset in listing.span.rows])
    shown = [(dataset, newest.get(dataset.id)) for dataset in listing.span.rows]
    return render(request, "datasets/list.html", {"listing": listing, "shown": shown, "is_away": is_away})


@takes_uploads
@member_page("datasets.edit", FORM)
@made_once()
def new(request: MemberRequest) -> HttpResponse:
    """A name and the first files; what was typed is kept when something is wrong."""
    form = DatasetForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        try:
            dataset = services.create_dataset(request.actor, workspace_id=request.actor.workspace_id, name=name)
        except StudioError as error:
            form.refuse(error)
        else:
            keep_files(request, dataset, form.cleaned_data["files"])
            return landed(request, reverse("datasets:dataset", args=[dataset.id]))
    if form.errors and "XMLHttpRequest" in request.headers.get("X-Requested-With", ""):
        return HttpResponse(_first_error(form), status=400, content_type="text/plain; charset=utf-8")
    broken_off = selectors.open_uploads(request.actor.workspace_id, user_id=request.actor.user_id)
    context = {"form": form, "broken_off": broken_off.filter(dataset=None)}
    return render(request, "datasets/new.html", context, status=400 if form.errors else 200)


def _first_error(form: DatasetForm) -> str:
    return next((str(error) for errors in form.errors.values() for error in errors), "The form is not complete.")


def _contents(request: MemberRequest, dataset: Dataset) -> dict[str, Any]:
    """Files and versions of a data set, whether something is still under way, and a mark of it all."""
    files = list(selectors.live_files(dataset).select_related("uploaded_by"))
    versions = selectors.versions_of(request.actor.workspace_id).filter(dataset=dataset)
    listing = listed(request, versions, sorts={"made": "created_at"}, usual="-made", find=[], choices=[STATES])
    reading = [file for file in files if file.state == FileState.UPLOADED]
    making = list(versions.filter(state__in=UNDER_WAY))
    return {
        "dataset": dataset,
        "left_out": list(selectors.live_files(dataset, archived=True)),
        "files": [(file, wording.file_line(file.detection)) for file in files],
        "readable": [file for file in files if file.state != FileState.ERROR],
        "listing": listing,
        "is_busy": bool(reading or making),
        "mark": _mark(files, making),
    }


def _mark(files: Sequence[DatasetFile], versions: Sequence[DatasetVersion]) -> str:
    seen = [(file.id, file.state) for file in files]
    return live.mark_of(seen, [(version.id, version.state, version.progress) for version in versions])


@member_page("datasets.view")
def dataset(request: MemberRequest, dataset_id: str) -> HttpResponse:
    """One data set."""
    found = selectors.dataset_of(request.actor.workspace_id, dataset_id)
    broken_off = selectors.open_uploads(request.actor.workspace_id, user_id=request.actor.user_id)
    context = {**_contents(request, found), "form": UploadForm(), "broken_off": broken_off.filter(dataset=found)}
    return render(request, "datasets/dataset.html", context)


@member_page("datasets.view")
def contents(request: MemberRequest, dataset_id: str) -> HttpResponse:
    """Files and versions by themselves, while something is under way."""
    found = _contents(request, selectors.dataset_of(request.actor.workspace_id, dataset_id))
    return live.part(request, "datasets/parts/contents.html", found, mark=found["mark"], is_over=not found["is_busy"])


@member_page("datasets.edit", ACT)
def archive(request: MemberRequest, dataset_id: str) -> HttpResponse:
    """Put a data set out of sight."""
    found = selectors.dataset_of(request.actor.workspace_id, dataset_id)
    services.archive_dataset(request.actor, dataset=found)
    messages.success(
        request,
        f"{found.name} is put away. Models that learnt from it keep their record of it. Choose “Put away” to bring it back.",
    )
    return redirect("datasets:list")


@member_page("datasets.edit", ACT)
def restore(request: MemberRequest, dataset_id: str) -> HttpResponse:
    """Bring a data set back."""
    found = selectors.dataset_of(request.actor.workspace_id, dataset_id, also_archived=True)
    services.restore_dataset(request.actor, dataset=found)
    messages.success(request, f"{found.name} is back.")
    return redirect("datasets:dataset", found.id)
