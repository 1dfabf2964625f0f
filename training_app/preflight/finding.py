"""One line of the list before a start, and the act that mends it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

ORDER = {"stop": 0, "warning": 1, "fine": 2}


@dataclass(frozen=True, slots=True)
class Act:
    """What mends a finding by itself. `kind` is fill (`values` are settings, `method` another method, both for the form),
    derive, look_again, ask_review or free, which leads to what takes up the disk."""

    kind: str
    label: str
    values: dict[str, int | float | str] = field(default_factory=dict)
    method: str = ""

    @property
    def query(self) -> str:
        """All of it as a query."""
        return urlencode({**self.values, **({"method": self.method} if self.method else {})})


@dataclass(frozen=True, slots=True)
class Finding:
    """`severity` is stop, warning or fine; `fix` says in words what to do, `act` does it where the studio can."""

    title: str
    message: str
    severity: str
    fix: str = ""
    act: Act | None = None
