"""The row browser: find rows of a version, open one, see it as it came. Test rows stay shut until somebody opens them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from datasets_app import selectors, services
from datasets_app.contents import rows as contents
from datasets_app.contents.origin import as_it_came as record_as_it_came
from datasets_app.contents.tokens import models_of, tokens_of
from datasets_app.curation.browsing.record import MOST_RECORDS
from datasets_app.models import DatasetVersion, EditAction, RowEdit, file_behind
from datasets_app.web import asked, wording
from datasets_app.web.views.versions import version_page
from gptstudio.core.errors import NotAllowed, StudioError
from gptstudio.web.access import ACT, MemberRequest, member_page
from gptstudio.web.exam import is_open, keep_open

ROWS = 20
TITLES = {"train": "Training", "validation": "Validation", "test": "Test"}


def edits_by_place(version: DatasetVersion) -> dict[tuple[str, int], RowEdit]:
    """The edits that wait, by (split, place)."""
    return {(edit.split, edit.place): edit for edit in selectors.edits_of(version)}


def shown_turns(row: dict[str, Any], edit: RowEdit | None) -> list[dict[str, Any]]:
    """The turns of a row with what an edit makes of them, each as pieces to draw."""
    later = edit.messages if edit is not None and edit.action == EditAction.REPLACE else row["messages"]
    return [
        {"role": old["role"], "pieces": wording.changed(old["content"], new["content"]), "content": new["content"]}
        for old, new in zip(row["messages"], later, strict=True)
    ]


@member_page("datasets.view")
def rows(request: MemberRequest, version_id: str) -> HttpResponse:
    """The rows themselves: searched, narrowed, sorted, a page at a time."""
    page = version_page(request, version_id, "rows")
    version = page["version"]
    if not version.report:
        return render(request, "datasets/version_state.html", page)
    edits = edits_by_place(version)
    wanted, opened = asked.wanted_of(request.GET, edits), is_open(request, version.id)
    found = contents.find(
        version,
        wanted,
        test_rows=opened,
        sort=asked.sort_of(request.GET),
        after=request.GET.get("after", ""),
        limit=ROWS,
    )
    facets = contents.facets(version)
    page |= {
        "found": found,
        "lines": [(row, shown_turns(row, edit), edit) for row in found.rows for edit in [_edit(edits, row)]],
        "asked": {name: request.GET.get(name, "") for name in (*asked.NAMES, "sort", "after")},
        "is_narrowed": wanted.is_narrowed,
        "splits": [(key, title, facets["splits"].get(key, 0)) for key, title in TITLES.items()],
        "facets": facets,
        "marks": [(each["value"], wording.mark_name(each["value"])) for each in facets["marks"]],
        "sorts": asked.SORT_NAMES,
        "states": asked.STATES,
        "is_open": opened,
        "is_shut": not opened and request.GET.get("split") == "test",
        **pending(edits),
    }
    return render(request, "datasets/rows.html", page)


def _edit(edits: dict[tuple[str, int], RowEdit], row: dict[str, Any]) -> RowEdit | None:
    return edits.get((row["split"], row["place"]))


def pending(edits: dict[tuple[str, int], RowEdit]) -> dict[str, int]:
    """How many edits of each kind wait for the next version."""
    actions = [edit.action for edit in edits.values()]
    return {
        "to_change": actions.count(EditAction.REPLACE),
        "to_leave_out": actions.count(EditAction.EXCLUDE),
        "flagged": sum(edit.is_flagged for edit in edits.values()),
    }


def check_open(request: MemberRequest, version_id: str, split: str) -> None:
    """Raise NotAllowed for a test row that nobody opened here."""
    if split == "test" and not is_open(request, version_id):
        raise NotAllowed(
            "Test rows are kept shut: a model is examined on them.",
            fix="Open them from the list of rows; it is written into the activity log.",
        )


@member_page("datasets.view")
def row(request: MemberRequest, version_id: str, split: str, place: int) -> HttpResponse:
    """One row: its turns, where it came from, what stands near it."""
    page = version_page(request, version_id, "rows")
    check_open(request, version_id, split)
    found = contents.row_of(page["version"], split=split, place=place, test_rows=is_open(request, version_id))
    edit = edits_by_place(page["version"]).get((split, place))
    neighbours = [place - 1 if place else None, place + 1]
    total = contents.facets(page["version"])["splits"].get(split, 0)
    page |= {
        "row": found,
        "turns": shown_turns(found, edit),
        "edit": edit,
        "file": (file_behind(selectors.files_by_name(page["version"]), found["file"]) or (None,))[0],
        "split_title": TITLES[split],
        "before": neighbours[0],
        "after": neighbours[1] if place + 1 < total else None,
        "total": total,
        "mask_names": [wording.mark_name(mark) for mark in found["marks"]],
    }
    return render(request, "datasets/row.html", page)


@member_page("datasets.view", ACT)
def as_it_came(request: MemberRequest, version_id: str, split: str, place: int) -> HttpResponse:
    """The records behind a row, and what the steps made of it; a part of the row's page. The log says who looked."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    check_open(request, version_id, split)
    found = contents.rows_of(version, [(split, place)])[split, place]
    services.note_clear_text(request.actor, version=version, file=found["file"], row=found["row"])
    try:
        came = record_as_it_came(version, found)
    except StudioError as error:  # it is said in the part's own place; a page of errors would not be shown there
        return render(request, "datasets/parts/as_it_came.html", {"error": error})
    records = [
        (
            each.line,
            [(name, text, wording.became(text, found["messages"])) for name, text in each.cells if text.strip()],
        )
        for each in came
    ]
    return render(request, "datasets/parts/as_it_came.html", {"records": records, "most": MOST_RECORDS})


@member_page("datasets.view")
def tokens(request: MemberRequest, version_id: str, split: str, place: int) -> HttpResponse:
    """What a model learns of a row and what it only reads; a part of the row's page."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    check_open(request, version_id, split)
    found = contents.rows_of(version, [(split, place)])[split, place]
    names, usual = models_of(version)
    model = request.GET.get("model") or usual
    page = {"version": version, "row": {"split": split, "place": place}, "models": names, "model": model}
    try:
        page["view"] = tokens_of(version, found, model=model)
    except StudioError as error:  # said in the part's own place, as above
        page["error"] = error
    return render(request, "datasets/parts/tokens.html", page)


@member_page("datasets.view", ACT)
def open_test(request: MemberRequest, version_id: str) -> HttpResponse:
    """Open the test rows in this browser session; the log says who looked at which version."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    services.open_test_rows(request.actor, version=version)
    keep_open(request, version.id)
    messages.success(request, "The test rows are open until you sign out. The activity log says so.")
    return redirect(f"{reverse('datasets:version-rows', args=[version.id])}?split=test")
