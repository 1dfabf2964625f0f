"""Balances: what is held for open attempts and what ended ones spent, altogether and in the month that runs.

An attempt counts in the month in which it was let in, however late its bill comes. A balance knows its newest month
alone; the first request of the next one begins it at nothing. Hard budgets are held by the one UPDATE that holds the
money, so racing requests cannot both take the last coin.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from gptstudio.core.errors import TooMuch
from gptstudio.core.statements import execute
from serving_app.models import Balance
from serving_app.months import month_after

HOLD = (
    "UPDATE serving_balance SET reserved_micro = reserved_micro + %s, "
    "month_reserved_micro = CASE WHEN month = %s THEN month_reserved_micro ELSE 0 END + %s, "
    "month_spent_micro = CASE WHEN month = %s THEN month_spent_micro ELSE 0 END, "
    "month_alerted_micro = CASE WHEN month = %s THEN month_alerted_micro END, month = %s WHERE id = %s AND month <= %s"
)
WITHIN = " AND spent_micro + reserved_micro <= %s"
WITHIN_MONTH = " AND CASE WHEN month = %s THEN month_spent_micro + month_reserved_micro ELSE 0 END <= %s"
SPEND = (
    "UPDATE serving_balance SET reserved_micro = reserved_micro - %s, spent_micro = spent_micro + %s, "
    "month_reserved_micro = month_reserved_micro - CASE WHEN month = %s THEN %s ELSE 0 END, "
    "month_spent_micro = month_spent_micro + CASE WHEN month = %s THEN %s ELSE 0 END WHERE id = %s"
)
NO_MONTH = -1  # of attempts from before months were kept


@dataclass(frozen=True, slots=True)
class Account:
    """A balance and what may be spent from it, in millionths: ever, and in a month. None: no limit."""

    id: str
    limit_micro: int | None
    noun: str
    month_limit_micro: int | None = None


class MonthTurned(Exception):
    """Another process's clock is ahead of this one's and has begun the next month."""

    def __init__(self, month: int) -> None:
        super().__init__(month)
        self.month = month


def hold(account: Account, cost: int, *, month: int) -> None:
    """Reserve `cost`. Raises TooMuch where a budget does not cover it, and MonthTurned. The caller has a transaction."""
    if _held(account, cost, month):
        return
    Balance.objects.get_or_create(id=account.id)  # the first request makes it, or waits for the one that does
    row = Balance.objects.select_for_update().get(id=account.id)
    if row.month > month:
        raise MonthTurned(row.month)
    if _held(account, cost, month):
        return
    limit = account.limit_micro
    if limit is not None and row.spent_micro + row.reserved_micro > limit - cost:
        raise _spent(f"The budget of this {account.noun} does not cover this request.", "Ask for fewer tokens")
    turn = month_after(month)
    raise _spent(
        f"The budget of this {account.noun} for this month does not cover this request.",
        f"Ask for fewer tokens, wait until the month turns on {turn:%Y-%m-%d} ({settings.TIME_ZONE})",
    )


def _spent(message: str, fix: str) -> TooMuch:
    return TooMuch(message, fix=f"{fix}, or ask an admin to raise the budget.", code="insufficient_quota")


def _held(account: Account, cost: int, month: int) -> bool:
    sql, values = HOLD, [cost, month, cost, month, month, month, account.id, month]
    if account.limit_micro is not None:
        sql, values = sql + WITHIN, [*values, account.limit_micro - cost]
    if account.month_limit_micro is not None:
        sql, values = sql + WITHIN_MONTH, [*values, month, account.month_limit_micro - cost]
    return bool(execute(sql, values))


def spend(owner: str, *, held: int, cost: int, month: int | None) -> None:
    """What was held goes back, what was used is spent: in that month too, unless the balance is past it."""
    then = NO_MONTH if month is None else month
    execute(SPEND, [held, cost, then, held, then, cost, owner])
