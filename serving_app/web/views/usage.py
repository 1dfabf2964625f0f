"""Usage: totals, a chart by day, a table by key and model, the request log with what is kept of it, the table as CSV."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from gptstudio.accounts.selectors import members_of
from gptstudio.web.access import ACT, MemberRequest, member_page
from gptstudio.web.charts import BarChart, columns
from gptstudio.web.lists import by_field, listed, wanted_by
from serving_app import months, selectors, services
from serving_app.guardrails.prompts import asked_texts
from serving_app.models import CompletionState
from serving_app.models.usage import request_id_in
from serving_app.selectors.export import usage_csv

ANSWERING = ("chat/completions", "completions")  # endpoints whose answers are texts
STATES = by_field("state", "State", CompletionState.choices)
SORTS = {
    "day": "day",
    "key": "api_key__name",
    "model": "model_name",
    "answers": "requests",
    "read": "prompt_tokens",
    "written": "completion_tokens",
    "cost": "cost_micro",
}
FOUND_IN = ("api_key__name", "model_name")
PERIODS = ((7, "7 days"), (30, "30 days"), (90, "90 days"))


def _days(request: MemberRequest) -> int:
    raw = request.GET.get("days", "")
    return int(raw) if raw in {str(days) for days, _ in PERIODS} else 30


def _since(days: int) -> date:
    return months.today() - timedelta(days=days - 1)


def by_day(rows: list[dict[str, Any]], *, days: int, today: date, width: int = 1080) -> BarChart | None:
    """Tokens a day, days without any included."""
    sums: dict[date, int] = {}
    for row in rows:
        sums[row["day"]] = sums.get(row["day"], 0) + row["prompt_tokens"] + row["completion_tokens"]
    span = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    pairs = [(f"{day.day} {day:%b}", float(sums.get(day, 0))) for day in span]
    return columns(pairs, noun="tokens", width=width, height=200)


def by_member(workspace_id: str, *, since: date) -> list[dict[str, Any]]:
    """Sums of each member, the dearest first."""
    people = {each.user_id: str(each.user) for each in members_of(workspace_id)}
    rows = selectors.daily(workspace_id, since=since, by=("user_id",))
    named = [{**row, "name": people.get(row["user_id"]) or "somebody who left"} for row in rows]
    return sorted(named, key=lambda row: -row["cost_micro"])


@member_page("usage.view")
def usage(request: MemberRequest) -> HttpResponse:
    """What was asked and what it cost."""
    workspace_id, days = request.actor.workspace_id, _days(request)
    since = _since(days)
    rows = selectors.by_key_model_and_day(workspace_id, since=since)
    each_day = selectors.daily(workspace_id, since=since, by=("day",))
    context = {
        "members": by_member(workspace_id, since=since),
        "reached": selectors.reached_of(workspace_id),
        "listing": listed(request, rows, sorts=SORTS, usual="-day", find=FOUND_IN, then="model_name", size=50),
        "any": bool(each_day),
        "totals": selectors.sums_of_days(workspace_id, since=since),
        "chart": by_day(each_day, days=days, today=months.today()),
        "narrow": by_day(each_day, days=days, today=months.today(), width=400),
        "days": days,
        "periods": PERIODS,
        "zone": settings.TIME_ZONE,
        "tab": "sums",
    }
    return render(request, "serving/usage.html", context)


@member_page("usage.view")
def requests(request: MemberRequest) -> HttpResponse:
    """The request log. Where texts are kept, reviewers find their way to them."""
    wanted = request_id_in(wanted_by(request))
    found = selectors.requests_of(request.actor.workspace_id)
    found = found.filter(id__startswith=wanted) if wanted else found
    listing = listed(request, found, sorts={"when": "created_at"}, usual="-when", choices=[STATES], size=50)
    counts = selectors.settled_counts([row.id for row in listing.span.rows])
    rows = [(row, counts.get(row.id)) for row in listing.span.rows]
    guard = services.guard_for(request.membership.workspace)
    keeps = guard is not None and guard.keeps
    context = {"listing": listing, "rows": rows, "tab": "requests", "keeps": keeps, "answering": ANSWERING}
    if keeps and request.actor.may("reviews.view"):
        context["kept"] = selectors.kept_among(request.actor.workspace_id, [row.id for row in listing.span.rows])
    return render(request, "serving/requests.html", context)


@member_page("reviews.view")
def texts(request: MemberRequest, request_id: str) -> HttpResponse:
    """What was asked and answered, where it is kept."""
    kept = services.read_texts(request.actor, workspace_id=request.actor.workspace_id, request_id=request_id)
    asked = kept.question.get("messages") or [{"role": "user", "content": text} for text in asked_texts(kept.question)]
    turns = [(turn.get("role", ""), "\n".join(asked_texts({"messages": [turn]}))) for turn in asked]
    return render(request, "serving/texts.html", {"kept": kept, "turns": turns, "tab": "requests"})


@member_page("data.erase", ACT)
def delete_texts(request: MemberRequest, request_id: str) -> HttpResponse:
    """Delete one request's texts."""
    services.delete_texts(request.actor, texts=selectors.texts_of(request.actor.workspace_id, request_id))
    messages.success(request, "The texts are gone. The request and its bill stay.")
    return redirect("serving:usage-requests")


@member_page("usage.view")
def export(request: MemberRequest) -> HttpResponse:
    """Sums by day, key, member and model as CSV, money in millionths."""
    since = _since(_days(request))
    response = HttpResponse(usage_csv(request.actor.workspace_id, since=since), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="usage.csv"'
    return response
