"""`store`: whether a request's texts are kept, as its workspace and the request itself want it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gptstudio.core.errors import Invalid
from serving_app.guardrails.guard import Guard

KEPT = ("chat/completions", "completions")
MOST_KEPT = 256 * 1024  # bytes of a request whose texts are kept


@dataclass(frozen=True, slots=True)
class Storing:
    """`keeps`: the texts are kept. `is_private`: the request says that they are not to be."""

    keeps: bool
    is_private: bool


def storing_of(body: Mapping[str, Any], guard: Guard | None, *, size: int, endpoint: str) -> Storing:
    """Raises Invalid for `store: true` where nothing would be kept; a `store` of another kind is the engine's to refuse."""
    wish = body.get("store")
    keeps = guard is not None and guard.keeps and endpoint in KEPT
    if wish is True and endpoint not in KEPT:
        raise _refused("'store' is true, but texts of embeddings are not kept.", "Leave it out.")
    if wish is True and not keeps:
        raise _refused(
            "'store' is true, but this workspace keeps no texts of its requests.",
            "Leave it out, or have an admin set for how many days texts are kept.",
        )
    if wish is True and size > MOST_KEPT:
        raise _refused(
            f"'store' is true, but texts of requests larger than {MOST_KEPT >> 10} KiB are not kept.",
            "Leave it out, or send less.",
        )
    return Storing(keeps and wish is not False and size <= MOST_KEPT, wish is False)


def without_store(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body without a `store` that is obeyed here: engines keep nothing, and some know no such field."""
    is_obeyed = isinstance(body.get("store"), bool)
    return {name: value for name, value in body.items() if name != "store"} if is_obeyed else body


def _refused(message: str, fix: str) -> Invalid:
    return Invalid(message, fix=fix, code="unsupported_parameter", param="store")
