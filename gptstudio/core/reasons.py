"""The reason that people give for an act, as it is kept."""

from __future__ import annotations

from gptstudio.core.errors import Invalid


def checked_reason(reason: str, *, longest: int) -> str:
    """The reason without the spaces around it. Raises Invalid where there is none, or more than `longest` characters."""
    why = reason.strip()
    if not why or len(why) > longest:
        raise Invalid(
            f"The reason has {len(why):,} characters." if why else "There is no reason.",
            fix=f"Say in a sentence why, in {longest:,} characters at most.",
            param="reason",
        )
    return why
