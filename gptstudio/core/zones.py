"""Names of time zones, and which of them this machine knows. Whose zone is which is not its concern."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones


@cache
def zone_names() -> frozenset[str]:
    """All that are known here, in the words of the IANA database."""
    return frozenset(available_timezones())


def zone_named(name: str) -> ZoneInfo | None:
    """The zone of that name, or None for what is none."""
    return ZoneInfo(name) if name in zone_names() else None
