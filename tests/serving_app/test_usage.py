"""The ledger: reserve, settle, release; exactly once, and never beyond a budget."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from gptstudio.accounts.models import ApiKey
from gptstudio.core.errors import TooMuch
from gptstudio.core.ids import mint
from serving_app import selectors
from serving_app.models import Balance, Completion, UsageEvent
from serving_app.prices import Tokens, cost_micro, upper_bound
from serving_app.services import release, reserve, settle
from serving_app.services.accounts import Account
from serving_app.services.usage import Ending

BOUND = Tokens(prompt=1000, completion=1000)
USED = Tokens(prompt=7, completion=5, cached=3)


@pytest.fixture
def open_attempt(workspace, as_alice, studio_home, settings, tiny_folder):
    """Reserve for a key; gives the attempt's id."""
    from gptstudio.accounts import services
    from training_app.services import ensure_starter

    settings.STARTER_FOLDER = tiny_folder
    model = ensure_starter()
    key, _secret = services.issue_key(as_alice, workspace_id=workspace.id, name="test", scopes=["chat"])

    def make(*, key_limit: int | None = None, workspace_limit: int | None = None, per_minute: int | None = None) -> str:
        request = Completion(
            id=mint("req_"), workspace=workspace, api_key=key, model=model, replica="embedded", endpoint="completions"
        )
        accounts = [Account(workspace.id, workspace_limit, "workspace"), Account(key.id, key_limit, "key")]
        reserve(
            request, model_name=model.name, bound=BOUND, accounts=accounts, limits=selectors.Limits(requests=per_minute)
        )
        return request.id

    return make


def balances() -> set[tuple[int, int]]:
    return set(Balance.objects.values_list("spent_micro", "reserved_micro"))


def test_prices_round_up_and_never_fall(settings):
    settings.PRICE_PROMPT_MICRO, settings.PRICE_COMPLETION_MICRO = 200_000, 800_000
    assert cost_micro(Tokens()) == 0
    assert cost_micro(Tokens(prompt=1)) == 1
    assert cost_micro(Tokens(prompt=1_000_000, completion=1_000_000)) == 1_000_000


@pytest.mark.parametrize(
    ("body", "bound"),
    [
        ({"messages": [], "max_tokens": 10}, Tokens(prompt=356, completion=10)),
        ({"messages": [], "max_tokens": 10, "max_completion_tokens": 4, "n": 3}, Tokens(prompt=356, completion=12)),
        ({"messages": []}, Tokens(prompt=356, completion=512)),
        ({"messages": [], "max_tokens": 10**9}, Tokens(prompt=356, completion=512)),
        ({"prompt": "x"}, Tokens(prompt=356, completion=16)),
        ({"prompt": ["x", "y"], "n": 2, "max_tokens": 5}, Tokens(prompt=612, completion=20)),
        ({"prompt": [1, 2, 3], "n": "4", "max_tokens": 5}, Tokens(prompt=356, completion=640)),
        ({"messages": [], "n": 4.0, "max_tokens": 5}, Tokens(prompt=356, completion=640)),
        ({"prompt": "x", "max_tokens": "100"}, Tokens(prompt=356, completion=512)),
    ],
)
def test_the_upper_bound_needs_no_tokenizer(body, bound):
    assert upper_bound(body, size=100, context=512) == bound


def test_the_prompts_bound_never_passes_the_context():
    assert upper_bound({"messages": [], "max_tokens": 1}, size=10**6, context=512).prompt == 512


def test_settling_gives_back_what_was_held_and_spends_what_was_used(open_attempt, workspace):
    attempt = open_attempt()
    assert balances() == {(0, cost_micro(BOUND))}
    assert settle(attempt, tokens=USED, ending=Ending("stop", total_ms=12, first_token_ms=3))
    assert balances() == {(cost_micro(USED), 0)}
    bill = selectors.usage_of(workspace.id, attempt)
    assert (bill.prompt_tokens, bill.cached_tokens, bill.completion_tokens) == (7, 3, 5)
    assert Completion.objects.get(id=attempt).total_ms == 12


def test_an_attempt_is_settled_once(open_attempt):
    attempt = open_attempt()
    assert settle(attempt, tokens=USED, ending=Ending("stop", source="reaper"))
    assert not settle(attempt, tokens=USED, ending=Ending("stop", total_ms=5))
    assert not release(attempt, error_code="late")
    assert balances() == {(cost_micro(USED), 0)}
    assert Completion.objects.get(id=attempt).total_ms == 5  # the gateway's times still count


def test_a_release_costs_nothing_and_happens_once(open_attempt):
    attempt = open_attempt()
    assert release(attempt, error_code="engine_unavailable")
    assert not release(attempt, error_code="engine_unavailable")
    assert balances() == {(0, 0)}
    assert Completion.objects.get(id=attempt).error_code == "engine_unavailable"


def test_an_attempt_that_was_released_too_early_is_billed_by_an_adjust_row(open_attempt, workspace):
    attempt = open_attempt()
    release(attempt, error_code="never_arrived")
    assert settle(attempt, tokens=USED, ending=Ending("stop", source="reaper"))
    assert not settle(attempt, tokens=USED, ending=Ending("stop"))
    assert balances() == {(cost_micro(USED), 0)}
    assert selectors.usage_of(workspace.id, attempt).completion_tokens == 5
    kinds = list(UsageEvent.objects.filter(attempt_id=attempt).values_list("kind", flat=True))
    assert kinds == ["reserve", "release", "adjust"]


def test_the_database_itself_refuses_a_second_end(open_attempt):
    attempt = open_attempt()
    release(attempt, error_code="x")
    copy = UsageEvent.objects.get(attempt_id=attempt, kind="release")
    copy.pk, copy.kind = None, "settle"
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)


def test_an_attempt_of_nobody_is_not_billed(open_attempt):
    open_attempt()
    assert not settle("req_unknown", tokens=USED, ending=Ending("stop"))
    assert not release("req_unknown", error_code="x")


@pytest.mark.parametrize("limits", [{"key_limit": 1_500}, {"workspace_limit": 1_500}])
def test_a_budget_refuses_what_it_does_not_cover_and_holds_nothing_for_it(open_attempt, limits):
    attempt = open_attempt(**limits)
    with pytest.raises(TooMuch) as refused:
        open_attempt(**limits)
    assert refused.value.code == "insufficient_quota"
    assert Completion.objects.count() == 1 and balances() == {(0, cost_micro(BOUND))}
    settle(attempt, tokens=USED, ending=Ending("stop"))
    open_attempt(**limits)


def test_a_budget_of_nothing_refuses_the_first_request(open_attempt):
    with pytest.raises(TooMuch):
        open_attempt(key_limit=0)
    assert Completion.objects.count() == 0


def test_requests_a_minute_are_counted(open_attempt):
    for _ in range(3):
        open_attempt(per_minute=3)
    with pytest.raises(TooMuch) as refused:
        open_attempt(per_minute=3)
    assert refused.value.code == "rate_limit_exceeded"


@pytest.mark.django_db(transaction=True)
def test_two_hundred_racing_requests_never_overspend(open_attempt):
    budget = 20 * cost_micro(BOUND) + 1

    def race(_number: int) -> bool:
        try:
            attempt = open_attempt(key_limit=budget)
            settle(attempt, tokens=BOUND, ending=Ending("stop"))
        except TooMuch:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(max_workers=12) as pool:
        served = sum(pool.map(race, range(200)))
    assert served == 20
    assert balances() == {(20 * cost_micro(BOUND), 0)}
    assert UsageEvent.objects.filter(kind="settle").count() == 20


@pytest.mark.django_db(transaction=True)
def test_the_very_first_requests_of_a_key_may_race(open_attempt):
    barrier = threading.Barrier(8)

    def race(_number: int) -> str:
        try:
            barrier.wait(timeout=120)
            return open_attempt()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=8) as pool:
        attempts = list(pool.map(race, range(8)))
    assert len(set(attempts)) == 8
    assert balances() == {(0, 8 * cost_micro(BOUND))}


@pytest.mark.django_db(transaction=True)
def test_gateway_and_reaper_racing_for_one_attempt_bill_it_once(open_attempt):
    attempts = [open_attempt() for _ in range(20)]
    barrier = threading.Barrier(3)

    def end(work) -> int:
        try:
            barrier.wait(timeout=120)
            return sum(work(attempt) for attempt in attempts)
        finally:
            connection.close()

    works = [
        lambda attempt: settle(attempt, tokens=USED, ending=Ending("stop")),
        lambda attempt: settle(attempt, tokens=USED, ending=Ending("stop", source="reaper")),
        lambda attempt: release(attempt, error_code="never_arrived"),
    ]
    with ThreadPoolExecutor(max_workers=3) as pool:
        list(pool.map(end, works))
    billed = UsageEvent.objects.filter(kind__in=["settle", "adjust"])
    assert billed.count() == 20
    assert balances() == {(20 * cost_micro(USED), 0)}


def test_sums_by_key_model_and_day_leave_reservations_out(open_attempt, workspace):
    for _ in range(2):
        settle(open_attempt(), tokens=USED, ending=Ending("stop"))
    open_attempt()
    [row] = selectors.by_key_model_and_day(workspace.id)
    assert (row["requests"], row["prompt_tokens"], row["completion_tokens"]) == (2, 14, 10)
    assert row["model_name"] == "studio-starter-1" and row["api_key__name"] == "test"
    assert selectors.totals(workspace.id)["cost_micro"] == 2 * cost_micro(USED)
    assert selectors.totals(workspace.id, api_key_id=ApiKey.objects.get().id)["requests"] == 2
    assert selectors.totals("ws_other") == {
        "requests": 0,
        "prompt_tokens": 0,
        "cached_tokens": 0,
        "completion_tokens": 0,
        "cost_micro": 0,
    }
