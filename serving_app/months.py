"""Calendar months of budgets and days of usage: by the clock of the studio's time zone (TIME_ZONE), whoever looks."""

from __future__ import annotations

from datetime import date, datetime, time

from django.utils import timezone


def day_of(moment: datetime) -> date:
    """The day of usage that a moment belongs to."""
    return timezone.localdate(moment, timezone.get_default_timezone())


def today() -> date:
    """The day of usage that it is now."""
    return day_of(timezone.now())


def begin_of(day: date) -> datetime:
    """Its midnight."""
    return datetime.combine(day, time(), tzinfo=timezone.get_default_timezone())


def month_of(moment: datetime) -> int:
    """Year and month as one number: 202611."""
    local = timezone.localtime(moment, timezone.get_default_timezone())
    return local.year * 100 + local.month


def month_after(month: int) -> datetime:
    """When the next month begins."""
    year, number = divmod(month, 100)
    year, number = (year + 1, 1) if number == 12 else (year, number + 1)
    return datetime(year, number, 1, tzinfo=timezone.get_default_timezone())
