"""From version to version: differences, drift, going back, the data card, downloads."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header

from datasets_app import selectors, services
from datasets_app.contents import changes as contents
from datasets_app.contents.card import card_of, markdown
from datasets_app.contents.download import chosen_splits, download
from datasets_app.models import DatasetVersion, VersionState
from datasets_app.web import asked, wording
from datasets_app.web.views.versions import version_page
from gptstudio.core.errors import Conflict
from gptstudio.core.streaming import in_threads
from gptstudio.web.access import ACT, MemberRequest, member_page
from gptstudio.web.exam import is_open
from gptstudio.web.once import made_once

ROWS = 20
FORM_NAMES = (
    ("jsonl", "JSON lines, as OpenAI's fine-tuning takes them; of all parts a zip with a file for each"),
    ("parquet", "Parquet, with every column"),
    ("csv", "CSV for a spreadsheet; cells that it would run are made harmless"),
)


def _compared(request: MemberRequest, version: DatasetVersion) -> DatasetVersion | None:
    """The version to compare with: the one that was asked for, else the one it descends from."""
    with_id = request.GET.get("with", "")
    if with_id:
        return selectors.version_of(request.actor.workspace_id, with_id)
    return version.parent


def _drawn(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the difference with its turns as pieces."""
    old, new = row["old"] or [], row["new"] or []
    if row["kind"] == "changed" and len(old) == len(new):
        turns = [
            (one["role"], one["content"], wording.changed(one["content"], other["content"]))
            for one, other in zip(old, new, strict=True)
        ]
    else:
        turns = [(one["role"], "", [wording.Piece(one["content"])]) for one in new or old]
    return {**row, "turns": turns}


@member_page("datasets.view")
def changes(request: MemberRequest, version_id: str) -> HttpResponse:
    """What changed since another version: counts, rows with their texts, drift."""
    page = version_page(request, version_id, "changes")
    version = page["version"]
    others = selectors.ready_versions(version.dataset).exclude(id=version.id)
    other = _compared(request, version)
    page |= {"others": others, "other": other, "kinds": contents.KINDS, "kind": request.GET.get("kind", "")}
    if other is None or version.state != VersionState.READY or other.state != VersionState.READY:
        return render(request, "datasets/changes.html", page)
    found = contents.changes(
        other,
        version,
        kind=page["kind"],
        test_rows=is_open(request, version.id) and is_open(request, other.id),
        offset=asked.number(request.GET.get("after", "")) or 0,
        limit=ROWS,
    )
    page |= {"found": found, "lines": [_drawn(row) for row in found.rows], "drift": contents.drift(other, version)}
    return render(request, "datasets/changes.html", page)


@member_page("datasets.edit", ACT)
@made_once()
def restore(request: MemberRequest, version_id: str) -> HttpResponse:
    """Make an earlier version again as the newest."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    made = services.restore_version(request.actor, version=version)
    messages.success(
        request, f"Version {made.number} is made from the files and the recipe of version {version.number}."
    )
    return redirect("datasets:version", made.id)


@member_page("datasets.view")
def card(request: MemberRequest, version_id: str) -> HttpResponse:
    """The data card; `?form=markdown` as a file."""
    page = version_page(request, version_id, "card")
    if not page["version"].report:
        return render(request, "datasets/version_state.html", page)
    found = card_of(page["version"])
    if request.GET.get("form") == "markdown":
        name = f"{page['version'].id}.md"
        headers = {"Content-Disposition": content_disposition_header(True, name)}
        return HttpResponse(markdown(found), content_type="text/markdown; charset=utf-8", headers=headers)
    return render(request, "datasets/card.html", {**page, "card": found, "forms": FORM_NAMES})


@member_page("datasets.view", ACT)
def take(request: MemberRequest, version_id: str) -> HttpResponse | StreamingHttpResponse:
    """The rows as a file. The log says who took which splits."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    splits, form = chosen_splits(request.POST.get("split", "train")), request.POST.get("form", "jsonl")
    if "test" in splits and not request.POST.get("with_test"):
        raise Conflict("Test rows are kept shut.", fix="Say that you want them; it is written into the activity log.")
    found = download(version, splits=splits, form=form)
    if "test" in splits:
        services.open_test_rows(request.actor, version=version)
    services.note_download(request.actor, version=version, splits=splits, form=form)
    response = StreamingHttpResponse(in_threads(found.pieces), content_type=found.content_type)
    response["Content-Disposition"] = content_disposition_header(True, found.name)
    return response
