"""What of a second factor is secret, in the shape that allauth keeps it in. Reads and writes no rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gptstudio.core.sealing import is_sealed, seal, unseal

TYPES = ("totp", "recovery_codes")
SECRET = ("secret", "seed")
SECRETS = "migrated_codes"


def sealed(data: dict[str, Any]) -> dict[str, Any]:
    """Its secrets sealed under SECRET_KEY, which lay open or under a secret before; what is sealed so already stays.

    Raises Conflict where one is sealed under a secret that is not known here.
    """
    return _each(data, lambda text: text if is_sealed(text) else seal(unseal(text)))


def opened(data: dict[str, Any]) -> dict[str, Any]:
    """Its secrets as they are. Raises Conflict as above."""
    return _each(data, unseal)


def _each(data: dict[str, Any], made: Callable[[str], str]) -> dict[str, Any]:
    found = dict(data)
    for name in SECRET:
        if name in found:
            found[name] = made(found[name])
    if SECRETS in found:
        found[SECRETS] = [made(text) for text in found[SECRETS]]
    return found
