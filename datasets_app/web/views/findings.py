"""Personal data that was found in a version: looked through, accepted, rejected. The next version follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from datasets_app import selectors, services
from datasets_app.contents import findings as contents
from datasets_app.models import DatasetVersion
from datasets_app.web.step_words import choice_word
from datasets_app.web.views.rows import check_open
from datasets_app.web.views.versions import version_page
from gptstudio.core.errors import StudioError
from gptstudio.web.access import ACT, MemberRequest, member_page
from gptstudio.web.exam import is_open
from gptstudio.web.paging import page_number, span
from gptstudio.web.wording import personal_title

ROWS = 25
MOST_VALUES = 5_000
SURENESS = (
    ("", "However sure", 0.0, 1.0),
    ("unsure", "Less sure", 0.0, contents.SURE - 1e-6),
    ("sure", "Sure", contents.SURE, 1.0),
)


DECIDED = (("", "Decided or not", None), ("no", "Not decided yet", False), ("yes", "Decided", True))


def narrowed_of(query: Mapping[str, str]) -> contents.Narrowed:
    """What the address narrows to; anything odd narrows nothing."""
    wanted = query.get("sure", "")
    _key, _title, least, most = next((each for each in SURENESS if each[0] == wanted), SURENESS[0])
    decided = next((each for key, _, each in DECIDED if key == query.get("decided", "")), None)
    return contents.Narrowed(
        query.get("type", "")[:60], query.get("action", "")[:20], query.get("value", "")[:40], least, most, decided
    )


def _policies(facets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was done with each type, a line a type and action."""
    return [
        {
            **each,
            "title": personal_title(each["entity_type"]),
            "done": choice_word("personal_data", "policy", each["action"]),
        }
        for each in facets
    ]


def _decisions(version: DatasetVersion) -> dict[str, str]:
    return {each.key: each.verdict for each in selectors.decisions_of(version.dataset)}


@member_page("datasets.view")
def findings(request: MemberRequest, version_id: str) -> HttpResponse:
    """Every hit with the words around it, the least sure first."""
    page = version_page(request, version_id, "findings")
    version = page["version"]
    if not version.report:
        return render(request, "datasets/version_state.html", page)
    if not contents.has_findings(version):
        return render(request, "datasets/findings.html", {**page, "has_record": False})
    narrowed, number, decisions = narrowed_of(request.GET), page_number(request), _decisions(version)
    hits, total = contents.find(version, narrowed, decisions, offset=(number - 1) * ROWS, limit=ROWS)
    lines = _policies(contents.facets(version))
    page |= {
        "has_record": True,
        "span": span(hits, total=total, number=number, size=ROWS),
        "narrowed": narrowed,
        "sure": request.GET.get("sure", ""),
        "sureness": [(key, title) for key, title, _least, _most in SURENESS],
        "decided": request.GET.get("decided", ""),
        "decidedness": [(key, title) for key, title, _is_decided in DECIDED],
        "lines": lines,
        "types": list(dict.fromkeys((each["entity_type"], each["title"]) for each in lines)),
        "actions": list(dict.fromkeys((each["action"], each["done"]) for each in lines)),
        "is_open": is_open(request, version.id),
        "hits_in_all": sum(each["hits"] for each in lines),
        "unsure": sum(each["unsure"] for each in lines),
        "waiting": len(decisions),
        "canaries": version.report.get("canaries") or {},
        "query": request.GET.urlencode(),
    }
    return render(request, "datasets/findings.html", page)


@member_page("datasets.edit", ACT)
def decide(request: MemberRequest, version_id: str) -> HttpResponse:
    """One hit, those that were ticked, those of equal value, or all that the list is narrowed to."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    verdict, _, scope = request.POST.get("verdict", "").partition(":")
    one = request.POST.get("key", "")
    try:
        count = services.decide_findings(
            request.actor,
            dataset=version.dataset,
            found=_chosen(request, version, scope, one),
            verdict="" if verdict == "back" else verdict,
        )
    except StudioError as error:
        messages.error(request, str(error))
    else:
        if one and scope != "value" and request.headers.get("HX-Request"):
            decisions = _decisions(version)
            (hit,) = contents.hits_of(version, [one], decisions)
            context = {"hit": hit, "version": version, "waiting": len(decisions), "is_part": True}
            context["is_open"] = is_open(request, version.id)
            return render(request, "datasets/parts/hit.html", context)
        messages.success(request, f"{count:,} decided. The next version follows; this one stays as it is.")
    address = reverse("datasets:version-findings", args=[version.id])
    query = request.POST.get("query", "")
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return redirect(f"{address}?{query}" if query else address)


@member_page("datasets.view", ACT)
def clear(request: MemberRequest, version_id: str) -> HttpResponse:
    """One hit in clear, for who asks; the log says so. In a test row only where those were opened. A part of the hit."""
    version = selectors.version_of(request.actor.workspace_id, version_id)
    hit = contents.hit_of(version, request.POST.get("key", ""))
    check_open(request, version_id, "test" if hit.data["is_test"] else "")
    services.note_clear_text(request.actor, version=version, file=hit.data["file"], row=hit.data["row"])
    try:
        page = {"clear": contents.clear_text(version, hit)}
    except StudioError as error:  # it is said in the part's own place; a page of errors would not be shown there
        return render(request, "datasets/parts/clear.html", {"error": error})
    return render(request, "datasets/parts/clear.html", page)


def _chosen(request: MemberRequest, version: DatasetVersion, scope: str, one: str) -> list[tuple[str, str]]:
    """Keys and types of what the form is about."""
    if scope == "all":
        return contents.values(version, narrowed_of(request.POST), _decisions(version), limit=MOST_VALUES)
    hits = contents.hits_of(version, [one] if one else request.POST.getlist("hit")[:ROWS], {})
    if scope == "value":
        return [(hit.value, hit.data["entity_type"]) for hit in hits]
    return [(hit.data["key"], hit.data["entity_type"]) for hit in hits]
