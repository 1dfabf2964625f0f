"""What a decision means for each kind of item. The apps say so when they start; a model's release is the usual one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gptstudio.review.evidence import Line, Suggestion
from gptstudio.review.models import ReviewItem


def _no_links(_item: ReviewItem) -> list[tuple[str, str]]:
    return []


def _no_more(_item: ReviewItem) -> dict[str, list[Line]]:
    return {}


def _no_suggestion(_item: ReviewItem) -> Suggestion | None:
    return None


@dataclass(frozen=True, slots=True)
class Wording:
    """`name`: what items of the kind are. `note`: what happens until somebody decides; then the two buttons, and what the
    item is called after them.

    `reason_to_approve`: whether a yes needs one, as a no always does. `in_bulk`: whether many may be decided at once.
    `links`: where an item's subject is shown, (words, address) each. `more`: what its app knows of the subject now, beside
    the evidence that came with the item. `suggest`: what all that speaks for.
    """

    name: str = ""
    note: str = "Nothing happens until somebody decides: an undecided model is not served."
    waits: str = "Nobody can use it until you decide."
    approve: str = "Approve"
    reject: str = "Reject"
    withdraw: str = "Withdraw"
    reason_to_approve: bool = True
    in_bulk: bool = False
    links: Callable[[ReviewItem], list[tuple[str, str]]] = _no_links
    more: Callable[[ReviewItem], dict[str, list[Line]]] = _no_more
    suggest: Callable[[ReviewItem], Suggestion | None] = _no_suggestion


_wordings: dict[str, Wording] = {}


def register(kind: str, wording: Wording) -> None:
    """Say what deciding items of a kind means."""
    _wordings[kind] = wording


def wording_of(kind: str) -> Wording:
    """The words for items of a kind."""
    return _wordings.get(kind, Wording())


def name_of(kind: str) -> str:
    """What items of a kind are, for a filter."""
    return wording_of(kind).name or kind.replace("_", " ").capitalize()


def kinds_in_bulk() -> list[str]:
    """The kinds of which many items may be decided at once."""
    return [kind for kind, wording in _wordings.items() if wording.in_bulk]
