"""Projections of the ledger: whose balances a row moves, the day's sums, and both made anew from the ledger."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db import connection, transaction

from gptstudio.core.statements import execute
from serving_app.models import Balance, UsageDaily, UsageEvent, UsageKind
from serving_app.months import day_of
from serving_app.selectors import member_account
from serving_app.selectors.usage import BILLED

COUNTS = ("prompt_tokens", "cached_tokens", "completion_tokens", "cost_micro")
BALANCES = ("spent_micro", "reserved_micro", "month", "month_spent_micro", "month_reserved_micro")


ADD = (
    "UPDATE serving_usagedaily SET requests = requests + %s, prompt_tokens = prompt_tokens + %s, "
    "cached_tokens = cached_tokens + %s, completion_tokens = completion_tokens + %s, cost_micro = cost_micro + %s "
    "WHERE workspace_id = %s AND day = %s AND user_id = %s AND model_name = %s AND api_key_id "
)
ADD_WITH_KEY, ADD_WITHOUT_KEY = ADD + "= %s", ADD + "IS NULL"


def owners_of(event: UsageEvent) -> list[str]:
    """Ids of the balances that a row of the ledger moves, in the order in which they are locked."""
    member = member_account(event.workspace_id, event.user_id) if event.user_id else None
    return sorted(filter(None, [event.api_key_id, member, event.workspace_id]))


def _day_of(event: UsageEvent) -> dict[str, object]:
    return {
        "workspace_id": event.workspace_id,
        "day": day_of(event.at),
        "api_key_id": event.api_key_id,
        "user_id": event.user_id,
        "model_name": event.model_name,
    }


def add_to_day(event: UsageEvent, *, is_first: bool = True) -> None:
    """Count a billed row in; `is_first`: of its attempt. The caller holds the workspace's balance."""
    counts = {"requests": int(is_first)} | {name: getattr(event, name) for name in COUNTS}
    day = _day_of(event)
    owner = [event.workspace_id, connection.ops.adapt_datefield_value(day_of(event.at)), event.user_id]
    key = [event.api_key_id] if event.api_key_id else []
    if not execute(ADD_WITH_KEY if key else ADD_WITHOUT_KEY, [*counts.values(), *owner, event.model_name, *key]):
        UsageDaily.objects.create(**day, **counts)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many rows a rebuild made, and how many sums and balances were not what the ledger says."""

    rows: int
    wrong_days: int
    wrong_balances: int


def rebuild_workspace(workspace_id: str) -> Rebuilt:
    """Make sums and balances of a workspace anew from its ledger. Whoever begins or ends an attempt meanwhile waits."""
    while True:
        with transaction.atomic():
            held = _accounts_in(workspace_id)
            for owner in sorted(held):  # as requests lock them
                Balance.objects.get_or_create(id=owner)
                Balance.objects.select_for_update().get(id=owner)
            if _accounts_in(workspace_id) <= held:  # else somebody asked for the first time: let go and begin again
                return _rebuild(workspace_id)


def _accounts_in(workspace_id: str) -> set[str]:
    """Ids of all balances that the workspace's ledger moves."""
    rows = UsageEvent.objects.filter(workspace_id=workspace_id, kind=UsageKind.RESERVE).order_by()
    pairs = rows.values_list("api_key_id", "user_id").distinct()
    members = {member_account(workspace_id, user_id) for _, user_id in pairs if user_id}
    return {workspace_id, *members, *(key_id for key_id, _ in pairs if key_id)}


def _rebuild(workspace_id: str) -> Rebuilt:
    """The caller holds all balances of the workspace."""
    days: dict[tuple[object, ...], list[int]] = defaultdict(lambda: [0] * (1 + len(COUNTS)))
    ever: dict[str, list[int]] = defaultdict(lambda: [0, 0], {workspace_id: [0, 0]})
    by_month: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    ended = dict(
        UsageEvent.objects.filter(workspace_id=workspace_id, kind__in=[UsageKind.SETTLE, UsageKind.RELEASE])
        .values_list("attempt_id", "kind")
    )  # fmt: skip
    for event in UsageEvent.objects.filter(workspace_id=workspace_id).iterator(chunk_size=2000):
        if event.kind in BILLED:
            day = days[tuple(_day_of(event).values())]
            day[0] += event.kind == UsageKind.SETTLE or ended.get(event.attempt_id) != UsageKind.SETTLE
            for at, name in enumerate(COUNTS, start=1):
                day[at] += getattr(event, name)
        spent = event.cost_micro if event.kind in BILLED else 0
        held = event.cost_micro if event.kind == UsageKind.RESERVE and event.attempt_id not in ended else 0
        for owner in owners_of(event):
            for sums in (ever[owner], *([by_month[owner][event.month]] if event.month else ())):
                sums[0] += spent
                sums[1] += held
    return Rebuilt(len(days), _replace_days(workspace_id, days), _replace_balances(ever, by_month))


def _replace_days(workspace_id: str, days: dict[tuple[object, ...], list[int]]) -> int:
    names = ("workspace_id", "day", "api_key_id", "user_id", "model_name")
    mine = UsageDaily.objects.filter(workspace_id=workspace_id)
    before = {row[:5]: list(row[5:]) for row in mine.values_list(*names, "requests", *COUNTS)}
    mine.delete()
    UsageDaily.objects.bulk_create(
        UsageDaily(**dict(zip((*names, "requests", *COUNTS), [*key, *sums], strict=True))) for key, sums in days.items()
    )
    return sum(before.get(key) != days.get(key) for key in before.keys() | days.keys())


def _replace_balances(ever: dict[str, list[int]], by_month: dict[str, dict[int, list[int]]]) -> int:
    """Of months a balance has its newest alone."""
    wrong = 0
    for owner in sorted(ever):
        months = by_month.get(owner, {})
        month = max(months, default=0)
        sums = (*ever[owner], month, *months.get(month, (0, 0)))
        right = dict(zip(BALANCES, sums, strict=True))
        row, _ = Balance.objects.get_or_create(id=owner)
        if any(getattr(row, name) != value for name, value in right.items()):
            wrong += 1
            Balance.objects.filter(id=owner).update(**right)
    return wrong


def sum_up_usage() -> None:
    """Make the sums of a ledger that is older than they are; nothing where there are any."""
    if not UsageDaily.objects.exists():
        rebuild_usage()


def rebuild_usage() -> Rebuilt:
    """All workspaces that have a ledger, one after another."""
    ids = UsageEvent.objects.order_by().values_list("workspace_id", flat=True).distinct()
    made = [rebuild_workspace(workspace_id) for workspace_id in ids]
    return Rebuilt(
        sum(each.rows for each in made),
        sum(each.wrong_days for each in made),
        sum(each.wrong_balances for each in made),
    )
