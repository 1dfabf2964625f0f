"""Budgets of keys, members and workspaces; prices by time; daily sums that equal the ledger whatever happened."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, F, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from gptstudio.accounts import selectors as people
from gptstudio.accounts import services as accounts
from gptstudio.accounts.models import ApiKey, Membership, Workspace
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, TooMuch
from gptstudio.core.ids import mint
from serving_app import selectors, services
from serving_app.models import Balance, Completion, ModelPrice, UsageDaily, UsageEvent
from serving_app.prices import Price, Tokens, cost_micro
from serving_app.selectors import member_account
from serving_app.services.admission import _accounts
from serving_app.services.admitted import Caller
from serving_app.services.budgets import alert_budgets
from serving_app.services.usage import Ending
from training_app.models import LanguageModel, ModelKind

BOUND, USED = Tokens(1000, 1000), Tokens(prompt=7, completion=5, cached=3)


@pytest.fixture
def tuned(workspace, starter) -> LanguageModel:
    """A fine-tune of the workspace."""
    name = "ft:studio-starter-1:care:tone:00000001"
    return LanguageModel.objects.create(
        workspace=workspace, name=name, kind=ModelKind.FINE_TUNE, base=starter, digest="c" * 64
    )


@pytest.fixture
def ask(workspace, as_alice, as_bob, starter) -> Callable[..., str]:
    """Let a request in as the gateway does; gives its id. `by` is "key" (Alice's) or "bob" in the playground."""
    key, _secret = accounts.issue_key(as_alice, workspace_id=workspace.id, name="shop", scopes=["chat"])

    def make(by: str = "key", bound: Tokens = BOUND) -> str:
        actor = as_bob if by == "bob" else people.actor_of_key(key)
        caller = Caller(actor, Workspace.objects.get(id=workspace.id), key if by == "key" else None)
        request = Completion(
            id=mint("req_"), workspace=workspace, api_key=caller.key, user_id=actor.user_id, model=starter,
            replica="embedded", endpoint="completions",
        )  # fmt: skip
        services.reserve(request, model_name=starter.name, bound=bound, accounts=_accounts(caller))
        return request.id

    return make


def set_member(user, amount: int | None, soft: int | None = None) -> None:
    Membership.objects.filter(user=user).update(budget_micro=amount, soft_budget_micro=soft)


def test_a_members_budget_covers_their_questions_and_their_keys(ask, alice, bob) -> None:
    set_member(alice, 1_500)
    attempt = ask("key")
    with pytest.raises(TooMuch) as refused:
        ask("key")
    assert refused.value.code == "insufficient_quota" and "budget of this member" in str(refused.value)
    ask("bob")  # another member's budget is another
    set_member(bob, 1_500)
    with pytest.raises(TooMuch):
        ask("bob")
    services.settle(attempt, tokens=USED, ending=Ending("stop"))
    ask("key")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("whose", ["member", "workspace"])
def test_two_hundred_racing_requests_never_overspend_a(whose, ask, alice, workspace) -> None:
    budget = 20 * cost_micro(BOUND) + 1
    if whose == "member":
        set_member(alice, budget)
    else:
        Workspace.objects.filter(id=workspace.id).update(budget_micro=budget)

    def race(_number: int) -> bool:
        try:
            services.settle(ask(), tokens=BOUND, ending=Ending("stop"))
        except TooMuch:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(max_workers=12) as pool:
        assert sum(pool.map(race, range(200))) == 20
    account = workspace.id if whose == "workspace" else selectors.member_account(workspace.id, alice.id)
    row = Balance.objects.get(id=account)
    assert (row.spent_micro, row.reserved_micro) == (20 * cost_micro(BOUND), 0)
    assert ledger(workspace.id) == summed(workspace.id)


def test_a_soft_budget_is_told_once_for_each_amount_and_refuses_nothing(ask, workspace, alice) -> None:
    set_member(alice, None, soft=cost_micro(USED))
    assert alert_budgets() == 0
    services.settle(ask(), tokens=USED, ending=Ending("stop"))
    assert (alert_budgets(), alert_budgets()) == (1, 0)
    services.settle(ask(), tokens=USED, ending=Ending("stop"))
    assert alert_budgets() == 0
    set_member(alice, None, soft=2 * cost_micro(USED))
    assert (alert_budgets(), alert_budgets()) == (1, 0)
    lines = AuditEvent.objects.filter(action="budget.reached")
    assert [line.subject_id for line in lines] == [alice.id, alice.id]
    assert lines[0].data["spent_micro"] >= lines[0].data["soft_budget_micro"] > 0


def test_only_who_may_sets_budgets_and_prices(as_bob, as_charlie, workspace, bob) -> None:
    for actor in (as_bob, as_charlie):
        with pytest.raises(NotAllowed):
            accounts.set_budget(actor, of=workspace, budget_micro=1, soft_budget_micro=None)
        with pytest.raises(NotAllowed):
            services.set_price(actor, workspace_id=workspace.id, model_name="", prompt_micro=1, completion_micro=1)


def test_a_settle_uses_the_price_that_was_in_force_at_the_reserve(ask, as_alice, workspace, starter) -> None:
    def set_price(prompt: int, completion: int) -> None:
        services.set_price(
            as_alice,
            workspace_id=workspace.id,
            model_name=starter.name,
            prompt_micro=prompt,
            completion_micro=completion,
        )

    set_price(10_000_000, 20_000_000)
    early = ask()
    set_price(1_000_000_000, 1_000_000_000)
    late = ask()
    for attempt in (early, late):
        services.settle(attempt, tokens=USED, ending=Ending("stop", source="reaper"))
    costs = [selectors.usage_of(workspace.id, attempt).cost_micro for attempt in (early, late)]
    assert costs == [7 * 10 + 5 * 20, 12 * 1_000]
    row = UsageEvent.objects.get(attempt_id=early, kind="settle")
    assert (row.price_prompt_micro, row.price_completion_micro) == (10_000_000, 20_000_000)


def test_a_models_own_price_goes_before_the_one_for_all_and_neither_begins_early(
    as_alice, workspace, settings, tuned, starter
) -> None:
    def set_price(name: str, micro: int, **more) -> None:
        services.set_price(
            as_alice, workspace_id=workspace.id, model_name=name, prompt_micro=micro, completion_micro=micro, **more
        )

    usual = Price(settings.PRICE_PROMPT_MICRO, settings.PRICE_COMPLETION_MICRO)
    assert selectors.price_of(workspace.id, tuned.name) == usual
    set_price("", 5)
    set_price(tuned.name, 7)
    later = timezone.now() + timedelta(days=1)
    set_price(tuned.name, 9, valid_from=later)
    assert [selectors.price_of(workspace.id, each.name).prompt_micro for each in (tuned, starter)] == [7, 5]
    assert selectors.price_of(workspace.id, tuned.name, at=later).prompt_micro == 9
    assert selectors.price_of("ws_other", tuned.name) == usual


def test_a_price_names_a_model_that_bills_name(as_alice, as_charlie, workspace, starter, tuned) -> None:
    services.create_deployment(
        as_alice, workspace_id=workspace.id, name="support", targets=[{"model": starter.id, "weight": 1}]
    )
    micro = {"prompt_micro": 1, "completion_micro": 1}
    with pytest.raises(Invalid, match="'support' is no model of this workspace") as refused:
        services.set_price(as_alice, workspace_id=workspace.id, model_name="support", **micro)
    assert "deployment is billed as the model" in str(refused.value)
    with pytest.raises(Invalid, match="no model"):
        services.set_price(as_charlie, workspace_id=as_charlie.workspace_id, model_name=tuned.name, **micro)
    services.set_price(as_charlie, workspace_id=as_charlie.workspace_id, model_name=starter.name, **micro)
    services.set_price(as_alice, workspace_id=workspace.id, model_name=f" {tuned.name} ", **micro)
    assert set(ModelPrice.objects.values_list("model_name", flat=True)) == {starter.name, tuned.name}


def test_the_past_has_its_prices(as_alice, workspace, starter) -> None:
    options = {"workspace_id": workspace.id, "model_name": starter.name, "prompt_micro": 1, "completion_micro": 1}
    with pytest.raises(Invalid, match="past"):
        services.set_price(as_alice, **options, valid_from=timezone.now() - timedelta(hours=1))
    begun = services.set_price(as_alice, **options)
    with pytest.raises(Conflict):
        services.withdraw_price(as_alice, price=begun)
    coming = services.set_price(as_alice, **options, valid_from=timezone.now() + timedelta(hours=1))
    services.withdraw_price(as_alice, price=coming)
    assert list(ModelPrice.objects.all()) == [begun]


NAMES = ("day", "api_key_id", "user_id", "model_name")
COUNTS = ("prompt_tokens", "cached_tokens", "completion_tokens", "cost_micro")


def ledger(workspace_id: str) -> set[tuple]:
    """The sums, worked out from the ledger itself by the database."""
    rows = UsageEvent.objects.filter(workspace_id=workspace_id, kind__in=["settle", "adjust"]).order_by()
    grouped = rows.annotate(day=TruncDate("at")).values(*NAMES)
    sums = grouped.annotate(requests=Count("attempt_id", distinct=True), **{f"s_{name}": Sum(name) for name in COUNTS})
    return set(sums.values_list(*NAMES, "requests", *(f"s_{name}" for name in COUNTS)))


def summed(workspace_id: str) -> set[tuple]:
    return set(UsageDaily.objects.filter(workspace_id=workspace_id).values_list(*NAMES, "requests", *COUNTS))


def some_life(ask) -> None:
    """Every way in which an attempt can end, by a key and by a member, and one that is open."""
    for by in ("key", "bob", "key"):
        services.settle(ask(by), tokens=USED, ending=Ending("stop"))
        services.release(ask(by), error_code="engine_unavailable")
        early = ask(by)
        services.release(early, error_code="never_arrived")
        services.settle(early, tokens=Tokens(11, 13), ending=Ending("stop", source="reaper"))
    ask("bob")


def test_daily_sums_equal_the_ledger_after_every_kind_of_end(ask, workspace) -> None:
    some_life(ask)
    assert summed(workspace.id) == ledger(workspace.id) and len(summed(workspace.id)) == 2
    [bob, key] = sorted(selectors.daily(workspace.id, by=("api_key",)), key=lambda row: row["requests"])
    assert (bob["requests"], key["requests"], key["prompt_tokens"]) == (2, 4, 2 * (7 + 11))


def test_a_rebuild_makes_sums_and_balances_right_and_says_how_many_were_wrong(ask, workspace) -> None:
    some_life(ask)
    before = set(Balance.objects.values_list("id", "spent_micro", "reserved_micro"))
    assert services.rebuild_usage().wrong_days == services.rebuild_usage().wrong_balances == 0
    UsageDaily.objects.filter(api_key__isnull=True).update(cost_micro=1)
    Balance.objects.filter(id=workspace.id).update(spent_micro=0, reserved_micro=9)
    said = StringIO()
    call_command("rebuild_usage", stdout=said)
    assert "2 daily sums" in said.getvalue() and "1 of them and 1 balances differed" in said.getvalue()
    assert summed(workspace.id) == ledger(workspace.id)
    assert set(Balance.objects.values_list("id", "spent_micro", "reserved_micro")) == before


@pytest.mark.django_db(transaction=True)
def test_a_rebuild_of_wrong_balances_in_the_middle_of_traffic_loses_nothing(ask, workspace, alice) -> None:
    ask()
    balances = [ApiKey.objects.get().id, member_account(workspace.id, alice.id), workspace.id]

    def live(number: int) -> None:
        try:
            if number % 10 == 0:
                spoilt = Balance.objects.filter(id=balances[number // 10 % 3])  # one at a time: requests lock in order
                assert spoilt.update(spent_micro=F("spent_micro") + 5) == 1
                services.rebuild_workspace(workspace.id)
            else:
                services.settle(ask(), tokens=USED, ending=Ending("stop"))
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=6) as pool:
        list(pool.map(live, range(60)))
    assert summed(workspace.id) == ledger(workspace.id)
    made = services.rebuild_workspace(workspace.id)
    assert (made.wrong_days, made.wrong_balances) == (0, 0)
