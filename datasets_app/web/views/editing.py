"""Editing rows: one row's turns, marks on several, and the next version that all of it makes."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from datasets_app import selectors, services
from datasets_app.contents import rows as contents
from datasets_app.models import DatasetVersion, EditAction
from datasets_app.services.edits import MOST_EDITS
from datasets_app.web import asked
from datasets_app.web.views.rows import check_open, edits_by_place
from datasets_app.web.views.versions import version_page
from gptstudio.core.errors import Invalid, StudioError
from gptstudio.web.access import ACT, FORM, MemberRequest, member_page
from gptstudio.web.exam import is_open
from gptstudio.web.once import made_once

PLACE = re.compile(r"(train|validation|test):(\d{1,12})")
SAID = {"exclude": "will be left out", "flag": "flagged", "undo": "left as before"}


@member_page("datasets.edit", FORM)
def edit(request: MemberRequest, version_id: str, split: str, place: int) -> HttpResponse:
    """Change what is said in a row; the next version says it."""
    page = version_page(request, version_id, "rows")
    check_open(request, version_id, split)
    row = contents.rows_of(page["version"], [(split, place)])[split, place]
    waiting = edits_by_place(page["version"]).get((split, place))
    turns = waiting.messages if waiting and waiting.action == EditAction.REPLACE else row["messages"]
    status = 200
    if request.method == "POST":
        given = request.POST.getlist("content")
        roles = [each["role"] for each in row["messages"]]
        typed = [
            {"role": role, "content": text.replace("\r\n", "\n")} for role, text in zip(roles, given, strict=False)
        ]
        try:
            services.edit_row(
                request.actor,
                version=page["version"],
                place=(split, place),
                messages=typed,
                note=request.POST.get("note", ""),
                expected=request.POST.get("etag", ""),
            )
        except StudioError as error:
            page["error"], turns, status = error, typed or turns, error.status
        else:
            messages.success(request, "Kept for the next version. This version stays as it is.")
            return redirect("datasets:row", version_id, split, place)
    page |= {
        "row": {**row, "split": split, "place": place},
        "turns": turns,
        "etag": request.POST.get("etag") or contents.etag(turns),
        "note": request.POST.get("note", waiting.note if waiting else ""),
    }
    return render(request, "datasets/row_edit.html", page, status=status)


def _chosen(request: MemberRequest, version: DatasetVersion) -> list[tuple[str, int]]:
    """The rows that were ticked, or all that match where somebody asked for all."""
    if request.POST.get("all"):
        query = request.GET
        found = contents.find(
            version,
            asked.wanted_of(query, edits_by_place(version)),
            test_rows=is_open(request, version.id),
            limit=MOST_EDITS,
        )
        if found.after:
            message = f"{found.total:,} rows match; at once at most {MOST_EDITS:,} can be marked."
            raise Invalid(message, fix="Narrow them further, or use a filter step in the recipe.")
        return [(row["split"], row["place"]) for row in found.rows]
    ticked = [PLACE.fullmatch(text) for text in request.POST.getlist("row")]
    return [(each[1], int(each[2])) for each in ticked if each]


def _back(request: MemberRequest, version: DatasetVersion) -> HttpResponse:
    """To where the person came from, within the studio."""
    address = reverse("datasets:version-rows", args=[version.id])
    came = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(came, allowed_hosts={request.get_host()}):
        parts = urlsplit(came)
        if parts.path.startswith(address):
            return redirect(f"{parts.path}?{parts.query}" if parts.query else parts.path)
    return redirect(address)


@member_page("datasets.edit", ACT)
def mark(request: MemberRequest, version_id: str) -> HttpResponse:
    """Leave out, flag, or take back: one row or many."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    act, note = request.POST.get("act", ""), request.POST.get("note", "")
    try:
        chosen = _chosen(request, version)
        for split, _ in chosen:
            check_open(request, version.id, split)
        if act == "exclude":
            count = services.exclude_rows(request.actor, version=version, places=chosen, note=note)
        elif act == "flag":
            count = services.flag_rows(request.actor, version=version, places=chosen, note=note)
        elif act == "undo":
            count = services.undo_edits(request.actor, version=version, places=chosen)
        else:
            raise Invalid("Nothing was chosen to be done.", fix="Choose to leave out, flag or take back.")
    except StudioError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{count:,} row{'' if count == 1 else 's'} {SAID[act]}.")
    return _back(request, version)


@member_page("datasets.edit", ACT)
@made_once()
def apply(request: MemberRequest, version_id: str) -> HttpResponse:
    """Make the next version with all edits that wait."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    made = services.create_edited_version(request.actor, version=version)
    return redirect("datasets:version", made.id)
