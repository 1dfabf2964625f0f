"""Reading the ledger: bills, totals, balances. Reservations that were neither settled nor released count nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from gptstudio.core.errors import NotFound
from serving_app.models import Balance, Completion, CompletionState, EngineReplica, UsageDaily, UsageEvent, UsageKind
from serving_app.models.usage import request_id_in
from serving_app.prices import Tokens

BILLED = (UsageKind.SETTLE, UsageKind.ADJUST)
SUMS = {
    "requests": Count("attempt_id", distinct=True),
    "prompt_tokens": Sum("prompt_tokens", default=0),
    "cached_tokens": Sum("cached_tokens", default=0),
    "completion_tokens": Sum("completion_tokens", default=0),
    "cost_micro": Sum("cost_micro", default=0),
}


COUNTED = ("requests", "prompt_tokens", "cached_tokens", "completion_tokens", "cost_micro")
DAILY_SUMS = {name: Sum(name, default=0) for name in COUNTED}


@dataclass(frozen=True, slots=True)
class Bill:
    """What one request took. `settled` is False while it runs, or while its engine's count is awaited."""

    request_id: str
    model: str
    state: str
    settled: bool
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_micro: int
    estimated: bool


def _billed(workspace_id: str) -> QuerySet[UsageEvent]:
    return UsageEvent.objects.filter(workspace_id=workspace_id, kind__in=BILLED)


def request_named(workspace_id: str, name: str) -> Completion | None:
    """One of the workspace's requests, by its own id or by its answer's."""
    return requests_of(workspace_id).filter(id=request_id_in(name)).first()


def requests_of(workspace_id: str) -> QuerySet[Completion]:
    """The workspace's requests, newest first; those to a moderation server too."""
    return Completion.objects.filter(workspace_id=workspace_id).select_related("model", "api_key", "deployment")


def usage_of(workspace_id: str, request_id: str) -> Bill:
    """The bill of one request."""
    request = request_named(workspace_id, request_id)
    if request is None:
        raise NotFound(f"There is no request {request_id} in this workspace.")
    events = list(_billed(workspace_id).filter(attempt_id=request.id))
    return Bill(
        request_id=request.id,
        model=request.model_name,
        state=request.state,
        settled=bool(events),
        prompt_tokens=sum(event.prompt_tokens for event in events),
        cached_tokens=sum(event.cached_tokens for event in events),
        completion_tokens=sum(event.completion_tokens for event in events),
        cost_micro=sum(event.cost_micro for event in events),
        estimated=any(event.estimated for event in events),
    )


def by_key_model_and_day(workspace_id: str, *, since: date | None = None) -> QuerySet[UsageDaily, dict[str, Any]]:
    """Sums of whole days, by key and model, newest day first; `api_key` is None for the playground."""
    return _daily(workspace_id, since=since, by=("day", "api_key", "api_key__name", "model_name"))


def daily(
    workspace_id: str, *, by: Sequence[str], since: date | None = None, until: date | None = None
) -> list[dict[str, Any]]:
    """Sums of whole days from the roll-ups, by some of day, api_key, api_key__name, user_id and model_name.

    From `since` on, before `until`; newest day first.
    """
    return [dict(row) for row in _daily(workspace_id, by=by, since=since, until=until)]


def _daily(
    workspace_id: str, *, by: Sequence[str], since: date | None = None, until: date | None = None
) -> QuerySet[UsageDaily, dict[str, Any]]:
    rows = UsageDaily.objects.filter(workspace_id=workspace_id)
    if since is not None:
        rows = rows.filter(day__gte=since)
    if until is not None:
        rows = rows.filter(day__lt=until)
    order = [f"-{name}" if name == "day" else name for name in by if name != "api_key"]
    found: QuerySet[UsageDaily, dict[str, Any]] = rows.order_by().values(*by).annotate(**DAILY_SUMS).order_by(*order)
    return found


def spent_by_month(workspace_id: str, *, today: date) -> tuple[int, int]:
    """What this month's answers cost so far, and last month's, by the days of the studio's time zone."""
    first = today.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    cost = {
        "now": Sum("cost_micro", filter=Q(day__gte=first), default=0),
        "before": Sum("cost_micro", filter=Q(day__lt=first), default=0),
    }
    found = UsageDaily.objects.filter(workspace_id=workspace_id, day__gte=before).aggregate(**cost)
    return found["now"], found["before"]


def sums_of_days(workspace_id: str, *, since: date) -> dict[str, int]:
    """Sums of all days from this one on, by the studio's time zone."""
    return dict(UsageDaily.objects.filter(workspace_id=workspace_id, day__gte=since).aggregate(**DAILY_SUMS))


def totals(workspace_id: str, *, since: datetime | None = None, api_key_id: str | None = None) -> dict[str, int]:
    """Sums of a workspace, or of one of its keys."""
    rows = _billed(workspace_id)
    if since is not None:
        rows = rows.filter(at__gte=since)
    if api_key_id is not None:
        rows = rows.filter(api_key_id=api_key_id)
    return dict(rows.aggregate(**SUMS))


def member_account(workspace_id: str, user_id: str) -> str:
    """The id of a member's balance: what they ask themselves, and what keys ask that they issued."""
    return f"{workspace_id}/{user_id}"


def balance_of(owner_id: str) -> Balance:
    """Spent and reserved of a key or a workspace; zeros when nothing was asked yet."""
    return Balance.objects.filter(id=owner_id).first() or Balance(id=owner_id)


def open_attempts() -> QuerySet[Completion]:
    """Requests that are neither settled nor released."""
    return Completion.objects.filter(state=CompletionState.RUNNING).order_by("created_at")


def attempts_with_journal() -> set[str]:
    """Attempts that went to an engine that is known and keeps a journal."""
    keeping = EngineReplica.objects.filter(has_journal=True).values("name")
    return set(Completion.objects.filter(replica__in=keeping).order_by().values_list("id", flat=True))


def settled_counts(attempt_ids: Iterable[str] | None = None) -> dict[str, Tokens]:
    """Billed tokens by attempt, of all workspaces; narrowed to some attempts when given."""
    rows = UsageEvent.objects.filter(kind__in=BILLED)
    if attempt_ids is not None:
        rows = rows.filter(attempt_id__in=list(attempt_ids))
    summed = rows.values("attempt_id").annotate(
        prompt=Sum("prompt_tokens"), completion=Sum("completion_tokens"), cached=Sum("cached_tokens")
    )
    return {
        row["attempt_id"]: Tokens(prompt=row["prompt"], completion=row["completion"], cached=row["cached"])
        for row in summed
    }
