"""Budgets of a calendar month: hard and soft, exact while requests race, and at the turn of the month."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from gptstudio.accounts import selectors as people
from gptstudio.accounts import services as accounts
from gptstudio.accounts.models import ApiKey, Membership, Workspace
from gptstudio.core.errors import TooMuch
from gptstudio.core.ids import mint
from gptstudio.notify.models import Delivery
from serving_app import selectors, services
from serving_app.models import Balance, Completion, UsageEvent
from serving_app.months import month_after, month_of
from serving_app.prices import Tokens, cost_micro
from serving_app.services.admission import _accounts
from serving_app.services.admitted import Caller
from serving_app.services.budgets import alert_budgets
from serving_app.services.usage import Ending

BOUND, USED = Tokens(1000, 1000), Tokens(prompt=7, completion=5)
NOVEMBER = datetime(2026, 11, 30, 23, 59, 59, tzinfo=ZoneInfo("UTC"))
DECEMBER = datetime(2026, 12, 1, tzinfo=ZoneInfo("UTC"))
OWNERS = ("key", "member", "workspace")


@pytest.fixture
def key(workspace, as_alice) -> ApiKey:
    return accounts.issue_key(as_alice, workspace_id=workspace.id, name="shop", scopes=["chat"])[0]


@pytest.fixture
def ask(workspace, key, starter) -> Callable[..., str]:
    """Let a request of the key in as the gateway does, at `now`; gives its id."""

    def make(now: datetime | None = None, bound: Tokens = BOUND) -> str:
        mine = ApiKey.objects.get(id=key.id)
        caller = Caller(people.actor_of_key(mine), Workspace.objects.get(id=workspace.id), mine)
        request = Completion(
            id=mint("req_"), workspace=workspace, api_key=mine, user_id=caller.actor.user_id, model=starter,
            replica="embedded", endpoint="completions",
        )  # fmt: skip
        services.reserve(request, model_name=starter.name, bound=bound, accounts=_accounts(caller), now=now)
        return request.id

    return make


def limit(whose: str, amount: int | None, *, soft: int | None = None) -> None:
    table = {"key": ApiKey, "member": Membership, "workspace": Workspace}[whose]
    table.objects.update(monthly_budget_micro=amount, soft_monthly_budget_micro=soft)


def account(whose: str, key: ApiKey) -> str:
    member = selectors.member_account(key.workspace_id, str(key.created_by_id))
    return {"key": key.id, "member": member, "workspace": key.workspace_id}[whose]


def in_month(owner: str) -> tuple[int, int, int]:
    row = Balance.objects.get(id=owner)
    return row.month, row.month_spent_micro, row.month_reserved_micro


@pytest.mark.parametrize("whose", OWNERS)
def test_a_months_budget_stops_requests_and_the_next_month_begins_at_nothing(whose, ask, key) -> None:
    limit(whose, cost_micro(BOUND))
    services.settle(ask(NOVEMBER), tokens=BOUND, ending=Ending("stop"))
    with pytest.raises(TooMuch) as refused:
        ask(NOVEMBER)
    assert refused.value.code == "insufficient_quota"
    assert f"budget of this {whose} for this month" in str(refused.value) and "2026-12-01 (UTC)" in str(refused.value)
    services.settle(ask(DECEMBER), tokens=USED, ending=Ending("stop"))
    assert in_month(account(whose, key)) == (202612, cost_micro(USED), 0)
    assert Balance.objects.get(id=account(whose, key)).spent_micro == cost_micro(BOUND) + cost_micro(USED)


def test_a_request_counts_in_the_month_in_which_it_was_let_in(ask, key) -> None:
    late, given_back, doubted = ask(NOVEMBER), ask(NOVEMBER), ask(NOVEMBER)
    services.settle(ask(DECEMBER), tokens=USED, ending=Ending("stop"))
    services.settle(late, tokens=BOUND, ending=Ending("stop"))
    services.release(given_back, error_code="engine_unavailable")
    services.release(doubted, error_code="never_arrived")
    services.settle(doubted, tokens=BOUND, ending=Ending("stop", source="reaper"))
    assert in_month(key.id) == (202612, cost_micro(USED), 0)
    assert Balance.objects.get(id=key.id).reserved_micro == 0
    months = (
        UsageEvent.objects.filter(kind__in=["settle", "adjust"])
        .order_by()
        .values_list("month")
        .annotate(Sum("cost_micro"))
    )
    assert dict(months) == {202611: 2 * cost_micro(BOUND), 202612: cost_micro(USED)}


def test_a_clock_that_lags_behind_does_not_bring_the_last_month_back(ask, key) -> None:
    limit("key", cost_micro(BOUND))
    services.settle(ask(DECEMBER), tokens=BOUND, ending=Ending("stop"))
    with pytest.raises(TooMuch, match="2027-01-01"):
        ask(NOVEMBER)
    limit("key", 2 * cost_micro(BOUND))
    services.settle(ask(NOVEMBER), tokens=USED, ending=Ending("stop"))
    assert in_month(key.id) == (202612, cost_micro(BOUND) + cost_micro(USED), 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("whose", OWNERS)
def test_two_hundred_racing_requests_never_overspend_the_month_of_a(whose, ask, key) -> None:
    """Half of them come from a process whose clock still says November."""
    limit(whose, 20 * cost_micro(BOUND) + 1)

    def race(number: int) -> bool:
        try:
            services.settle(ask(DECEMBER if number % 2 else NOVEMBER), tokens=BOUND, ending=Ending("stop"))
        except TooMuch:
            return False
        finally:
            connection.close()
        return True

    for _ in range(20):  # November is full before its last second
        services.settle(ask(NOVEMBER), tokens=BOUND, ending=Ending("stop"))
    assert race(0) is False
    with ThreadPoolExecutor(max_workers=12) as pool:
        assert sum(pool.map(race, range(200))) == 20
    assert in_month(account(whose, key)) == (202612, 20 * cost_micro(BOUND), 0)
    assert services.rebuild_workspace(key.workspace_id).wrong_balances == 0


def test_a_soft_budget_of_a_month_is_told_once_in_each(ask, key, as_alice, workspace) -> None:
    accounts.add_destination(as_alice, workspace_id=workspace.id, kind="email", address="ops@care.example")
    limit("key", None, soft=cost_micro(USED))
    services.settle(ask(), tokens=USED, ending=Ending("stop"))
    assert (alert_budgets(), alert_budgets()) == (1, 0)
    told = Delivery.objects.get()
    assert "The key shop has reached the amount to tell at for this month" in told.title
    assert told.body["data"]["span"] == "month" and told.body["data"]["renews_at"]
    last_month = month_of(timezone.now()) - 1
    Balance.objects.filter(id=key.id).update(month=last_month)  # as if that had been in the month before
    assert alert_budgets() == 0
    services.settle(ask(), tokens=USED, ending=Ending("stop"))
    assert (alert_budgets(), alert_budgets()) == (1, 0)


def test_what_was_spent_last_month_is_not_shown_as_this_ones(ask, key, workspace) -> None:
    services.settle(ask(datetime(2020, 1, 31, tzinfo=ZoneInfo("UTC"))), tokens=USED, ending=Ending("stop"))
    limit("workspace", cost_micro(USED))
    [mine] = [each for each in selectors.budgets_of(workspace.id) if each.noun == "workspace"]
    assert (mine.ever.spent_micro, mine.month.spent_micro) == (cost_micro(USED), 0)
    assert mine.month.renews_at == month_after(month_of(timezone.now())) > timezone.now()
    assert selectors.reached_of(workspace.id) == []


def test_a_rebuild_makes_the_month_right_too(ask, key) -> None:
    services.settle(ask(NOVEMBER), tokens=BOUND, ending=Ending("stop"))
    services.settle(ask(DECEMBER), tokens=USED, ending=Ending("stop"))
    ask(DECEMBER)
    right = in_month(key.id)
    assert services.rebuild_usage().wrong_balances == 0
    Balance.objects.filter(id=key.id).update(month_spent_micro=0, month_reserved_micro=1)
    assert services.rebuild_usage().wrong_balances == 1 and in_month(key.id) == right


def test_a_ledger_from_before_months_were_kept_counts_in_the_month_that_runs(ask, key) -> None:
    services.settle(ask(), tokens=USED, ending=Ending("stop"))
    services.release(ask(), error_code="engine_unavailable")
    open_one = ask()
    right = in_month(key.id)
    UsageEvent.objects.update(month=None)
    Balance.objects.update(month=0, month_spent_micro=0, month_reserved_micro=0)
    import_module("serving_app.migrations.0012_this_month").count_month(apps, None)
    assert in_month(key.id) == right
    services.settle(open_one, tokens=USED, ending=Ending("stop"))
    assert in_month(key.id) == (right[0], 2 * cost_micro(USED), 0)


def test_months_turn_at_midnight_of_the_studios_time_zone(settings) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    assert month_of(datetime(2026, 11, 30, 23, 30, tzinfo=ZoneInfo("UTC"))) == 202612
    assert month_after(202612).isoformat() == "2027-01-01T00:00:00+01:00"
