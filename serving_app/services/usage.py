"""The ledger's three verbs. Reserve before the engine is asked; then exactly one of settle and release.

The reserve row is the lock of its attempt: whoever ends it holds that row first, so gateway and reaper can both try.
Balances change in the same transaction, always in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from gptstudio.core.statements import Reading, execute, insert
from serving_app.guardrails.answers import FILTERED
from serving_app.models import Completion, CompletionState, UsageEvent, UsageKind
from serving_app.months import month_of
from serving_app.prices import Price, Tokens, cost_micro, usual_price
from serving_app.selectors import Limits, Standing, price_of
from serving_app.services.accounts import Account, MonthTurned, hold, spend
from serving_app.services.daily import add_to_day, owners_of
from serving_app.services.limits import check_parallel, correct, count_in_database

LEFT = "cancelled"  # the caller went away

NO_LIMITS = Limits()
NOTE = (
    "UPDATE serving_completion SET state = %s, finish_reason = %s, error_code = %s, counted_tokens = %s WHERE id = %s"
)
TIME = (
    "UPDATE serving_completion SET first_token_ms = %s, total_ms = %s, gateway_us = %s "
    "WHERE id = %s AND total_ms IS NULL"
)
STATES = {"cancelled": CompletionState.CANCELLED, "error": CompletionState.FAILED}


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended. Times in milliseconds since it was accepted; None when nobody was there to measure."""

    finish_reason: str
    source: str = "gateway"
    first_token_ms: int | None = None
    total_ms: int | None = None
    gateway_us: int | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Reserved:
    """What the reserve row of an attempt says, and its key's limit of tokens a minute."""

    attempt_id: str
    workspace_id: str
    api_key_id: str | None
    user_id: str
    model_name: str
    cost_micro: int
    price_prompt_micro: int | None
    price_completion_micro: int | None
    month: int | None
    tokens_per_minute: int | None


_RESERVED = Reading(
    lambda attempt_id: UsageEvent.objects.select_for_update(of=("self",))
    .filter(attempt_id=attempt_id, kind=UsageKind.RESERVE)
    .values_list(
        "attempt_id", "workspace_id", "api_key_id", "user_id", "model_name", "cost_micro", "price_prompt_micro",
        "price_completion_micro", "month", "api_key__tokens_per_minute",
    ),
    str,
)  # fmt: skip
_ENDS = Reading(
    lambda attempt_id: (
        UsageEvent.objects.filter(attempt_id=attempt_id)
        .exclude(kind=UsageKind.RESERVE)
        .order_by()
        .values_list("kind", "estimated", "source")
    ),
    str,
)


def reserve(
    request: Completion,
    *,
    model_name: str,
    bound: Tokens,
    accounts: Iterable[Account],
    limits: Limits = NO_LIMITS,
    standing: Standing | None = None,
    now: datetime | None = None,
) -> Standing:
    """Open an attempt: its request row, its reserve row, and the held money. TooMuch leaves nothing behind.

    Gives how the key now stands to its limits a minute. They are counted here unless `standing` says that they were.
    """
    held, month = list(accounts), month_of(now or timezone.now())
    while True:
        try:
            return _open(request, model_name, bound, held, limits, standing, month)
        except MonthTurned as later:
            month = later.month


@transaction.atomic
def _open(
    request: Completion,
    model_name: str,
    bound: Tokens,
    accounts: list[Account],
    limits: Limits,
    standing: Standing | None,
    month: int,
) -> Standing:
    price = price_of(request.workspace_id, model_name)
    cost = cost_micro(bound, price)
    for account in sorted(accounts, key=lambda each: each.id):
        hold(account, cost, month=month)
    standing = _within_limits(request, limits, standing, tokens=bound.prompt + bound.completion)
    request.counted_tokens = bound.prompt + bound.completion
    insert(request)
    insert(
        UsageEvent(
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
            month=month,
        )
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


def _locked(attempt_id: str) -> Reserved | None:
    rows = _RESERVED.rows(attempt_id)
    return Reserved(*rows[0]) if rows else None


def _ends(attempt_id: str) -> dict[str, bool]:
    """Kinds of the rows that ended an attempt, and whether each is the reaper's guess: no journal told, nobody else did."""
    return {kind: bool(estimated) and source == "reaper" for kind, estimated, source in _ENDS.rows(attempt_id)}


def _price_then(reserved: Reserved) -> Price:
    """The price in force when the attempt was let in."""
    if reserved.price_prompt_micro is None or reserved.price_completion_micro is None:
        return usual_price()  # reserved before prices were kept
    return Price(reserved.price_prompt_micro, reserved.price_completion_micro)


def _close(reserved: Reserved, *, kind: str, tokens: Tokens, ending: Ending, is_first: bool = True) -> None:
    """Write the closing row and move the money: what was held goes back, what was used is spent."""
    price = _price_then(reserved)
    cost = cost_micro(tokens, price)
    event = UsageEvent(
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
        month=reserved.month,
        estimated=ending.estimated,
        source=ending.source,
    )
    insert(event)
    held = 0 if kind == UsageKind.ADJUST else reserved.cost_micro
    for owner in owners_of(event):
        spend(owner, held=held, cost=cost, month=reserved.month)
    if kind != UsageKind.RELEASE:
        add_to_day(event, is_first=is_first)  # behind the workspace's balance, which a rebuild holds


def _note(reserved: Reserved, *, state: str, tokens: Tokens, ending: Ending, error_code: str = "") -> None:
    attempt_id, counted = reserved.attempt_id, tokens.prompt + tokens.completion
    execute(NOTE, [str(state), ending.finish_reason[:24], error_code[:48], counted, attempt_id])
    _time(attempt_id, ending)
    if reserved.api_key_id and reserved.tokens_per_minute:
        key_id = reserved.api_key_id
        transaction.on_commit(lambda: correct(key_id, attempt_id, tokens=counted))


def _time(attempt_id: str, ending: Ending) -> None:
    """Times are known to the gateway alone, which may come after the reaper."""
    if ending.total_ms is not None:
        execute(TIME, [ending.first_token_ms, ending.total_ms, ending.gateway_us, attempt_id])


def _was_stopped(attempt_id: str) -> bool:
    return Completion.objects.filter(id=attempt_id, finish_reason=FILTERED).exists()


@transaction.atomic
def note_stopped(attempt_id: str) -> None:
    """A rule stopped an answer that only the reaper will bill: whoever bills it, it ends as such."""
    if _locked(attempt_id) is None:
        return
    if _ends(attempt_id):
        _note_stopped(attempt_id, Ending(FILTERED))
    else:
        Completion.objects.filter(id=attempt_id).update(finish_reason=FILTERED)


def note_left(attempt_id: str) -> None:
    """Its caller went away while an engine with a journal had it: should the engine never have begun, that is no failure."""
    Completion.objects.filter(id=attempt_id, state=CompletionState.RUNNING, finish_reason="").update(finish_reason=LEFT)


def _note_stopped(attempt_id: str, ending: Ending) -> None:
    """An engine that a rule stopped closes its journal as when a client goes away; the gateway knows better."""
    if ending.finish_reason == FILTERED:
        Completion.objects.filter(id=attempt_id).update(state=CompletionState.COMPLETED, finish_reason=FILTERED)


@transaction.atomic
def settle(attempt_id: str, *, tokens: Tokens, ending: Ending) -> bool:
    """Bill an attempt with the engine's count. False when it was billed before, or is none of ours.

    An attempt that was released too early, and reached its engine after all, is billed by an adjust row. So is one that
    the reaper closed at nothing, for want of a journal, while the gateway still passed its answer on.
    """
    reserved = _locked(attempt_id)
    if reserved is None:
        return False
    ends = _ends(attempt_id)
    is_late = ends.get(UsageKind.SETTLE, False) and ending.source == "gateway"
    if UsageKind.ADJUST in ends or (UsageKind.SETTLE in ends and not is_late):
        _time(attempt_id, ending)
        _note_stopped(attempt_id, ending)
        return False
    if ending.source == "reaper" and _was_stopped(attempt_id):
        ending = replace(ending, finish_reason=FILTERED)
    kind = UsageKind.ADJUST if ends else UsageKind.SETTLE
    _close(reserved, kind=kind, tokens=tokens, ending=ending, is_first=not is_late)
    _note(reserved, state=STATES.get(ending.finish_reason, CompletionState.COMPLETED), tokens=tokens, ending=ending)
    return True


@transaction.atomic
def release(attempt_id: str, *, error_code: str, source: str = "gateway", state: str = CompletionState.FAILED) -> bool:
    """Give back what was held for an attempt that no engine worked on. False when it has ended already."""
    reserved = _locked(attempt_id)
    if reserved is None or _ends(attempt_id):
        return False
    ending = Ending("error", source=source)
    _close(reserved, kind=UsageKind.RELEASE, tokens=Tokens(), ending=ending)
    _note(reserved, state=state, tokens=Tokens(), ending=ending, error_code=error_code)
    return True
