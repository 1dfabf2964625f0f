"""What a decision means for each kind of item. The apps say so when they start; a model's release is the usual one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """`note`: what happens until somebody decides; then the two buttons, and what the item is called after them."""

    note: str = "Nothing happens until somebody decides: an undecided model is not served."
    waits: str = "Nobody can use it until you decide."
    approve: str = "Approve"
    reject: str = "Reject"
    withdraw: str = "Withdraw"


_wordings: dict[str, Wording] = {}


def register(kind: str, wording: Wording) -> None:
    """Say what deciding items of a kind means."""
    _wordings[kind] = wording


def wording_of(kind: str) -> Wording:
    """The words for items of a kind."""
    return _wordings.get(kind, Wording())
