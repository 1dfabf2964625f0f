"""Calendar months, as budgets count them: by the clock of the studio's time zone (TIME_ZONE), like the days of usage."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone


def month_of(moment: datetime) -> int:
    """Year and month as one number: 202611."""
    local = timezone.localtime(moment, timezone.get_default_timezone())
    return local.year * 100 + local.month


def month_after(month: int) -> datetime:
    """When the next month begins."""
    year, number = divmod(month, 100)
    year, number = (year + 1, 1) if number == 12 else (year, number + 1)
    return datetime(year, number, 1, tzinfo=timezone.get_default_timezone())
