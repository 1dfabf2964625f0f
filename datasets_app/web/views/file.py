"""One file's page: how it was read, what was found, which column is what, and the first rows as conversations."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from datasets_app import selectors, services
from datasets_app.contents.detection import without_rows
from datasets_app.models import DatasetFile
from datasets_app.web import columns as parts
from datasets_app.web import wording
from datasets_app.web.forms import ReadingForm
from gptstudio.core.errors import Invalid, NotAllowed, NotFound, StudioError
from gptstudio.web.access import ACT, MemberRequest, member_page


def _file(request: MemberRequest, dataset_id: str, file_id: str) -> DatasetFile:
    found = selectors.file_of(request.actor.workspace_id, file_id)
    if found.dataset_id != dataset_id:
        raise NotFound(f"There is no file {file_id} in this data set.")
    return found


OPENED = "opened_files"


def is_open(request: MemberRequest, found: DatasetFile) -> bool:
    """Whether the first rows are shown: to who uploaded them, and to who opened them in this browser session."""
    return found.uploaded_by_id == request.actor.user_id or found.id in request.session.get(OPENED, [])


def _seen(request: MemberRequest, found: DatasetFile) -> bool:
    """The same, and the log says so: what is shown is the upload as it came, with nothing hidden."""
    seen = is_open(request, found)
    if seen and found.detection.get("preview"):
        services.note_first_rows(request.actor, file=found)
    return seen


def _page(found: DatasetFile, mapping: Any, *, is_chosen: bool, is_shown: bool) -> dict[str, Any]:
    detection = found.detection if is_shown else without_rows(found.detection)
    shown, hidden = parts.columns_of(detection, mapping)
    names = detection.get("columns", [])[: parts.SHOWN_COLUMNS]
    return {
        "file": found,
        "dataset": found.dataset,
        "line": wording.file_line(detection),
        "facts": wording.reading_lines(detection),
        "findings": parts.open_findings(detection, is_chosen=is_chosen),
        "reading_form": ReadingForm(initial=found.reading, detection=detection),
        "encodings": detection.get("encodings", []),
        "columns": shown,
        "hidden_columns": hidden,
        "is_shown": is_shown,
        "choices": parts.choices(),
        "meanings": [parts.PARTS[name] for name in parts.KNOWN],
        "is_chosen": is_chosen,
        "preview": parts.preview(detection, mapping),
        "names": names,
        "rows": [[row.get(name) for name in names] for row in detection.get("preview", [])],
    }


@member_page("datasets.view")
def file(request: MemberRequest, dataset_id: str, file_id: str) -> HttpResponse:
    """What was found in a file, and how its columns are used."""
    found = _file(request, dataset_id, file_id)
    mapping, is_chosen = parts.in_use(found.dataset.mapping, found.detection)
    page = _page(found, mapping, is_chosen=is_chosen, is_shown=_seen(request, found))
    return render(request, "datasets/file.html", page)


@member_page("datasets.view", ACT)
def open_rows(request: MemberRequest, dataset_id: str, file_id: str) -> HttpResponse:
    """Show the first rows in this browser session; the log says who looked at which file."""
    found = _file(request, dataset_id, file_id)
    services.note_first_rows(request.actor, file=found)
    request.session[OPENED] = [*request.session.get(OPENED, []), found.id][-50:]
    return redirect("datasets:file", dataset_id, file_id)


@member_page("datasets.view")
def preview(request: MemberRequest, dataset_id: str, file_id: str) -> HttpResponse:
    """The first rows through the columns that the form has chosen at this moment; nothing is saved."""
    found = _file(request, dataset_id, file_id)
    if not _seen(request, found):
        raise NotAllowed("The first rows are shut.", fix="Open them on the file's page; the activity log will say so.")
    try:
        shown = parts.preview(found.detection, parts.mapping_from_form(found.detection, request.GET.dict()))
    except StudioError as error:
        shown = parts.Preview(fault=str(error))
    return render(request, "datasets/parts/seen.html", {"preview": shown, "file": found})


@member_page("datasets.edit", ACT)
def columns(request: MemberRequest, dataset_id: str, file_id: str) -> HttpResponse:
    """Keep the columns as the data set's mapping."""
    found = _file(request, dataset_id, file_id)
    try:
        mapping = parts.usable_mapping(found.detection, request.POST.dict())
        services.set_mapping(request.actor, dataset=found.dataset, mapping=mapping)
    except StudioError as error:
        messages.error(request, f"The columns were not saved. {error}")
        said = parts.as_said(found.detection, request.POST.dict())
        page = _page(found, said, is_chosen=False, is_shown=_seen(request, found))
        return render(request, "datasets/file.html", page, status=error.status)
    messages.success(request, "Saved. New versions of this data set read these columns.")
    return redirect("datasets:file", dataset_id, file_id)


@member_page("datasets.edit", ACT)
def read(request: MemberRequest, dataset_id: str, file_id: str) -> HttpResponse:
    """Have the file read again as the form says; what is left empty is found by itself."""
    found = _file(request, dataset_id, file_id)
    form = ReadingForm(request.POST, detection=found.detection)
    try:
        if not form.is_valid():
            raise Invalid("The line of the column names is a number.", fix="Use 0 where there is none.")
        services.reread_file(request.actor, file=found, reading=form.reading())
    except StudioError as error:
        messages.error(request, f"The file was not read again. {error}")
    else:
        messages.success(request, f"{found.name} is read again. The upload stays as it came.")
    return redirect("datasets:file", dataset_id, file_id)


@member_page("datasets.edit", ACT)
def guess(request: MemberRequest, dataset_id: str, file_id: str) -> HttpResponse:
    """Go back to the columns that were found by themselves."""
    found = _file(request, dataset_id, file_id)
    services.set_mapping(request.actor, dataset=found.dataset, mapping=None)
    messages.success(request, "The columns are found by themselves again.")
    return redirect("datasets:file", dataset_id, file_id)
