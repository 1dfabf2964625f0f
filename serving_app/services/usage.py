"""The ledger's three verbs. Reserve before the engine is asked; then exactly one of settle and release.

The reserve row is the lock of its attempt: whoever ends it holds that row first, so gateway and reaper can both try.
Balances change in the same transaction, always in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, QuerySet

from gptstudio.core.errors import TooMuch
from serving_app.models import Balance, Completion, CompletionState, UsageEvent, UsageKind
from serving_app.prices import Price, Tokens, cost_micro, usual_price
from serving_app.selectors import Limits, Standing, price_of
from serving_app.services.daily import add_to_day, owners_of
from serving_app.services.limits import check_parallel, correct, count_in_database

NO_LIMITS = Limits()
STATES = {"cancelled": CompletionState.CANCELLED, "error": CompletionState.FAILED}


@dataclass(frozen=True, slots=True)
class Account:
    """A balance and what may be spent from it, in millionths; None: no limit."""

    id: str
    limit_micro: int | None
    noun: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended. Times in milliseconds since it was accepted; None when nobody was there to measure."""

    finish_reason: str
    source: str = "gateway"
    first_token_ms: int | None = None
    total_ms: int | None = None
    gateway_us: int | None = None
    estimated: bool = False


def _hold(account: Account, cost: int) -> None:
    """Reserve `cost`, or raise TooMuch. One conditional UPDATE: racing requests cannot both take the last coin."""
    mine = Balance.objects.filter(id=account.id)
    within = mine
    if account.limit_micro is not None:
        within = mine.filter(spent_micro__lte=account.limit_micro - cost - F("reserved_micro"))
    if within.update(reserved_micro=F("reserved_micro") + cost):
        return
    Balance.objects.get_or_create(id=account.id)  # the first request makes it, or waits for the one that does
    if within.update(reserved_micro=F("reserved_micro") + cost):
        return
    raise TooMuch(
        f"The budget of this {account.noun} does not cover this request.",
        fix="Ask for fewer tokens, or ask an admin to raise the budget.",
        code="insufficient_quota",
    )


@transaction.atomic
def reserve(
    request: Completion,
    *,
    model_name: str,
    bound: Tokens,
    accounts: Iterable[Account],
    limits: Limits = NO_LIMITS,
    standing: Standing | None = None,
) -> Standing:
    """Open an attempt: its request row, its reserve row, and the held money. TooMuch leaves nothing behind.

    Gives how the key now stands to its limits a minute. They are counted here unless `standing` says that they were.
    """
    price = price_of(request.workspace_id, model_name)
    cost = cost_micro(bound, price)
    for account in sorted(accounts, key=lambda each: each.id):
        _hold(account, cost)
    standing = _within_limits(request, limits, standing, tokens=bound.prompt + bound.completion)
    request.counted_tokens = bound.prompt + bound.completion
    request.save(force_insert=True)
    UsageEvent.objects.create(
        attempt_id=request.id,
        kind=UsageKind.RESERVE,
        workspace_id=request.workspace_id,
        api_key_id=request.api_key_id,
        user_id=request.user_id,
        model_name=model_name,
        prompt_tokens=bound.prompt,
        completion_tokens=bound.completion,
        cost_micro=cost,
        price_prompt_micro=price.prompt_micro,
        price_completion_micro=price.completion_micro,
    )
    return standing


def _within_limits(request: Completion, limits: Limits, standing: Standing | None, *, tokens: int) -> Standing:
    """The key's balance is held by now, so requests of one key come here one after another."""
    if not request.api_key_id:
        return Standing()
    if standing is None:
        by_minute = limits.by_minute
        standing = count_in_database(request.api_key_id, limits, tokens=tokens) if by_minute else Standing()
    check_parallel(request.api_key_id, limits, standing=standing)
    return standing


def _locked(attempt_id: str) -> UsageEvent | None:
    rows = UsageEvent.objects.select_for_update(of=("self",)).select_related("api_key")
    return rows.filter(attempt_id=attempt_id, kind=UsageKind.RESERVE).first()


def _ends(attempt_id: str) -> QuerySet[UsageEvent]:
    return UsageEvent.objects.filter(attempt_id=attempt_id).exclude(kind=UsageKind.RESERVE)


def _price_then(reserved: UsageEvent) -> Price:
    """The price in force when the attempt was let in."""
    if reserved.price_prompt_micro is None or reserved.price_completion_micro is None:
        return usual_price()  # reserved before prices were kept
    return Price(reserved.price_prompt_micro, reserved.price_completion_micro)


def _close(reserved: UsageEvent, *, kind: str, tokens: Tokens, ending: Ending) -> None:
    """Write the closing row and move the money: what was held goes back, what was used is spent."""
    price = _price_then(reserved)
    cost = cost_micro(tokens, price)
    event = UsageEvent.objects.create(
        attempt_id=reserved.attempt_id,
        kind=kind,
        workspace_id=reserved.workspace_id,
        api_key_id=reserved.api_key_id,
        user_id=reserved.user_id,
        model_name=reserved.model_name,
        prompt_tokens=tokens.prompt,
        cached_tokens=tokens.cached,
        completion_tokens=tokens.completion,
        cost_micro=cost,
        price_prompt_micro=price.prompt_micro,
        price_completion_micro=price.completion_micro,
        estimated=ending.estimated,
        source=ending.source,
    )
    held = 0 if kind == UsageKind.ADJUST else reserved.cost_micro
    for owner in owners_of(reserved):
        Balance.objects.filter(id=owner).update(
            reserved_micro=F("reserved_micro") - held, spent_micro=F("spent_micro") + cost
        )
    if kind != UsageKind.RELEASE:
        add_to_day(event)  # behind the workspace's balance, which a rebuild holds


def _note(reserved: UsageEvent, *, state: str, tokens: Tokens, ending: Ending, error_code: str = "") -> None:
    attempt_id, counted = reserved.attempt_id, tokens.prompt + tokens.completion
    Completion.objects.filter(id=attempt_id).update(
        state=state, finish_reason=ending.finish_reason[:24], error_code=error_code[:48], counted_tokens=counted
    )
    _time(attempt_id, ending)
    transaction.on_commit(lambda: correct(reserved.api_key, attempt_id, tokens=counted))


def _time(attempt_id: str, ending: Ending) -> None:
    """Times are known to the gateway alone, which may come after the reaper."""
    if ending.total_ms is not None:
        Completion.objects.filter(id=attempt_id, total_ms__isnull=True).update(
            first_token_ms=ending.first_token_ms, total_ms=ending.total_ms, gateway_us=ending.gateway_us
        )


@transaction.atomic
def settle(attempt_id: str, *, tokens: Tokens, ending: Ending) -> bool:
    """Bill an attempt with the engine's count. False when it was billed before, or is none of ours.

    An attempt that was released too early, and reached its engine after all, is billed by an adjust row.
    """
    reserved = _locked(attempt_id)
    if reserved is None:
        return False
    kinds = set(_ends(attempt_id).values_list("kind", flat=True))
    if UsageKind.SETTLE in kinds or UsageKind.ADJUST in kinds:
        _time(attempt_id, ending)
        return False
    kind = UsageKind.ADJUST if UsageKind.RELEASE in kinds else UsageKind.SETTLE
    _close(reserved, kind=kind, tokens=tokens, ending=ending)
    _note(reserved, state=STATES.get(ending.finish_reason, CompletionState.COMPLETED), tokens=tokens, ending=ending)
    return True


@transaction.atomic
def release(attempt_id: str, *, error_code: str, source: str = "gateway", state: str = CompletionState.FAILED) -> bool:
    """Give back what was held for an attempt that no engine worked on. False when it has ended already."""
    reserved = _locked(attempt_id)
    if reserved is None or _ends(attempt_id).exists():
        return False
    ending = Ending("error", source=source)
    _close(reserved, kind=UsageKind.RELEASE, tokens=Tokens(), ending=ending)
    _note(reserved, state=state, tokens=Tokens(), ending=ending, error_code=error_code)
    return True
