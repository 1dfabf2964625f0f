"""Usage: totals, a chart by day, a table by key and model, the request log, and the table as CSV."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from gptstudio.web.access import MemberRequest, member_page
from gptstudio.web.charts import BarChart, columns
from gptstudio.web.paging import page_of
from serving_app import selectors

PERIODS = ((7, "7 days"), (30, "30 days"), (90, "90 days"))
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def _days(request: MemberRequest) -> int:
    raw = request.GET.get("days", "")
    return int(raw) if raw in {str(days) for days, _ in PERIODS} else 30


def _since(days: int) -> Any:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days - 1)


def by_day(rows: list[dict[str, Any]], *, days: int, today: date, width: int = 1080) -> BarChart | None:
    """Tokens a day, days without any included."""
    sums: dict[date, int] = {}
    for row in rows:
        sums[row["day"]] = sums.get(row["day"], 0) + row["prompt_tokens"] + row["completion_tokens"]
    span = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    pairs = [(f"{day.day} {day:%b}", float(sums.get(day, 0))) for day in span]
    return columns(pairs, noun="tokens", width=width, height=200)


@member_page("usage.view")
def usage(request: MemberRequest) -> HttpResponse:
    """What was asked and what it cost."""
    workspace_id, days = request.actor.workspace_id, _days(request)
    since = _since(days)
    rows = selectors.by_key_model_and_day(workspace_id, since=since)
    budget = request.membership.workspace.budget_micro
    balance = selectors.balance_of(workspace_id)
    context = {
        "rows": rows,
        "totals": selectors.totals(workspace_id, since=since),
        "chart": by_day(rows, days=days, today=timezone.localdate()),
        "narrow": by_day(rows, days=days, today=timezone.localdate(), width=400),
        "days": days,
        "periods": PERIODS,
        "budget": budget,
        "spent_share": min(100, round(100 * balance.spent_micro / budget)) if budget else None,
        "balance": balance,
        "tab": "sums",
    }
    return render(request, "serving/usage.html", context)


@member_page("usage.view")
def requests(request: MemberRequest) -> HttpResponse:
    """The request log. Neither questions nor answers are in it."""
    span = page_of(request, selectors.completions_of(request.actor.workspace_id), size=50)
    counts = selectors.settled_counts([row.id for row in span.rows])
    rows = [(row, counts.get(row.id)) for row in span.rows]
    return render(request, "serving/requests.html", {"span": span, "rows": rows, "tab": "requests"})


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula is quoted."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


@member_page("usage.view")
def export(request: MemberRequest) -> HttpResponse:
    """The table as CSV, money in millionths."""
    rows = selectors.by_key_model_and_day(request.actor.workspace_id, since=_since(_days(request)))
    names = ("requests", "prompt_tokens", "cached_tokens", "completion_tokens", "cost_micro")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["day", "api_key", "key_name", "model", *names])
    for row in rows:
        head = [row["day"], row["api_key"], row["api_key__name"], row["model_name"]]
        writer.writerow([_cell(value) for value in head] + [row[name] for name in names])
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="usage.csv"'
    return response
