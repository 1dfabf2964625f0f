"""Transition tables: which state may follow which. A service asks before it writes."""

from __future__ import annotations

from collections.abc import Mapping

from gptstudio.core.errors import Conflict


class Transitions:
    """States of one noun. `Transitions({"queued": {"running", "cancelled"}, …})`; a state without an entry is final."""

    def __init__(self, table: Mapping[str, set[str]]) -> None:
        self.table = {state: frozenset(following) for state, following in table.items()}

    def allows(self, current: str, target: str) -> bool:
        return target in self.after(current)

    def after(self, current: str) -> frozenset[str]:
        """The states that may follow."""
        return self.table.get(current, frozenset())

    def sources(self, target: str) -> list[str]:
        """The states from which `target` can be reached in one step: the WHERE of a conditional UPDATE."""
        return sorted(state for state, following in self.table.items() if target in following)

    def is_final(self, state: str) -> bool:
        return not self.after(state)

    def check(self, current: str, target: str, *, noun: str) -> None:
        """Raise Conflict, with a sentence, unless `target` may follow `current`."""
        if not self.allows(current, target):
            raise Conflict(f"This {noun} is {current}; it cannot become {target} any more.")
