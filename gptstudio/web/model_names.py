"""Names that programs can call, for forms that bind something to them. Of thousands the newest are offered.

The apps stand above this room, so the names come from a function that the top floor registers when it starts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

Namer = Callable[[str, Collection[str]], list[str]]
_namers: list[Namer] = []


def register(namer: Namer) -> None:
    """Say which names there are: workspace id in, and names that are listed in any case if they can be called; names out."""
    _namers.append(namer)


def names_of(workspace_id: str, *, also: Collection[str] = ()) -> list[str]:
    """Names that a program of the workspace can call now, in the order they are offered: of fine-tunes the newest, and those
    of `also` that can be called.
    """
    return [name for namer in _namers for name in namer(workspace_id, also)]
