"""Names that programs can call, for forms that bind something to them.

The apps stand above this room, so the names come from a function that the top floor registers when it starts.
"""

from __future__ import annotations

from collections.abc import Callable

Namer = Callable[[str], list[str]]
_namers: list[Namer] = []


def register(namer: Namer) -> None:
    """Say which names there are: workspace id in, names out."""
    _namers.append(namer)


def names_of(workspace_id: str) -> list[str]:
    """All names that a program of the workspace can call now, in the order they are offered."""
    return [name for namer in _namers for name in namer(workspace_id)]
