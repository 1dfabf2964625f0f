"""A version's page: Report, What was left out, Recipe, Where it came from. Its rows have a module of their own."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from datasets_app import recipes, selectors, services
from datasets_app.models import DatasetVersion
from datasets_app.web import report_words, wording
from datasets_app.web.step_words import options_in_words
from datasets_app.web.views.building import UNDER_WAY
from gptstudio.core.errors import StudioError
from gptstudio.review.selectors import item_about, last_decision
from gptstudio.web import live
from gptstudio.web.access import ACT, MemberRequest, member_page
from gptstudio.web.paging import page_number, span
from gptstudio.web.wording import personal_name

ROWS = 20


def version_page(request: MemberRequest, version_id: str, tab: str) -> dict[str, Any]:
    """What every tab shows: the head, the road, and the state."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    item = item_about(version.id, kind="version")
    return {
        "version": version,
        "dataset": version.dataset,
        "tab": tab,
        "sentence": wording.version_sentence(version.report) if version.report else "",
        "is_busy": version.state in UNDER_WAY,
        "is_cleared": selectors.cleared_by(version, item),
        "item": item,
        "decision": last_decision(item),
        "why_seen": selectors.why_seen(version),
        "mark": live.mark_of(version.state, version.progress, version.cancel_requested),
    }


@member_page("datasets.view")
def report(request: MemberRequest, version_id: str) -> HttpResponse:
    """What became of the rows, in words and in two charts."""
    page = version_page(request, version_id, "report")
    body = page["version"].report
    if not body:
        return render(request, "datasets/version_state.html", page)
    hidden = sorted(body.get("personal_data", {}).items(), key=lambda pair: -pair[1])
    duplicates = body.get("duplicates", {})
    page |= {
        "report": body,
        "hidden": [(personal_name(kind), count) for kind, count in hidden],
        "hidden_total": sum(count for _, count in hidden),
        "copies": duplicates.get("exact", 0),
        "dropped": sorted(body.get("rows", {}).get("dropped", {}).items(), key=lambda pair: -pair[1]),
        "examples": [(each, wording.changed(each["before"], each["after"])) for each in body.get("examples", [])[:6]],
        "classes": wording.class_chart(body.get("classes") or {}),
        "lengths": wording.length_chart(body.get("tokens") or {}),
        **report_words.pictures(body, page["version"].recipe),
        "findings": [(file, each) for file in body.get("files", []) for each in file.get("findings", [])],
    }
    return render(request, "datasets/version_report.html", page)


@member_page("datasets.edit", ACT)
def ask_review(request: MemberRequest, version_id: str) -> HttpResponse:
    """Put the version into the review queue."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    try:
        services.request_version_review(request.actor, version=version)
    except StudioError as error:
        messages.error(request, f"{error} {error.fix}")
    else:
        messages.success(request, "It waits in the review queue now.")
    return redirect("datasets:version", version.id)


@member_page("datasets.view")
def left_out(request: MemberRequest, version_id: str) -> HttpResponse:
    """Every row that did not make it, with its place in the file and the reason."""
    page = version_page(request, version_id, "left-out")
    wanted, number = request.GET.get("reason") or None, page_number(request)
    found, total = selectors.ledger_page(page["version"], reason=wanted, offset=(number - 1) * ROWS, limit=ROWS)
    page |= {
        "span": span(found, total=total, number=number, size=ROWS),
        "wanted": wanted,
        "reasons": sorted(page["version"].report.get("rows", {}).get("dropped", {}).items()),
    }
    return render(request, "datasets/version_left_out.html", page)


def _recipe_lines(version: DatasetVersion) -> list[dict[str, Any]]:
    done = {each["kind"]: each for each in version.report.get("steps", [])}
    lines = []
    for step in version.recipe.get("steps", []):
        title, why = recipes.STEP_HINTS.get(step["kind"], (step["kind"], ""))
        shown = options_in_words(step["kind"], step.get("options", {}))
        lines.append({"title": title, "why": why, "step": step, "options": shown, "done": done.get(step["kind"])})
    return lines


@member_page("datasets.view")
def recipe(request: MemberRequest, version_id: str) -> HttpResponse:
    """The steps in their order, with what each did."""
    page = version_page(request, version_id, "recipe")
    return render(request, "datasets/version_recipe.html", {**page, "lines": _recipe_lines(page["version"])})


@member_page("datasets.view")
def origin(request: MemberRequest, version_id: str) -> HttpResponse:
    """The files it was made from, and the digests that prove it."""
    page = version_page(request, version_id, "origin")
    files = selectors.files_of_version(page["version"])
    lines = [(file, wording.file_line(file.detection)) for file in files]
    return render(request, "datasets/version_origin.html", {**page, "files": lines})
