"""Every page of the dashboard, taken from the URL table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gptstudio.overview.routes import Kind, routes

PARAMETER = re.compile(r"<(\w+)>")


def filled(path: str, ids: Mapping[str, str]) -> str:
    """An address with these ids in the places of its parameters."""
    return PARAMETER.sub(lambda found: ids[found[1]], path)


@dataclass(frozen=True, slots=True)
class Page:
    """One address. `is_act`: it takes forms alone."""

    route: str
    is_act: bool

    @property
    def names(self) -> list[str]:
        """The parameters in it."""
        return PARAMETER.findall(self.route)

    def address(self, ids: Mapping[str, str]) -> str:
        return filled(self.route, ids)


def pages() -> list[Page]:
    """All pages, in the order of the table."""
    methods: dict[str, list[str]] = {}
    for route in routes():
        if route.kind in (Kind.PAGE, Kind.STREAM):
            methods.setdefault(route.path, []).append(route.method)
    return [Page(path, taken == ["POST"]) for path, taken in methods.items()]
