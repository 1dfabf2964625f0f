"""Every page of the dashboard, taken from the URL table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

APART = (
    "v1/",
    "api/",
    "oauth/",
    ".well-known/",
    "admin/",
    "accounts/",
    "health",
    "metrics",
    "sign-in/",
    "favicon.ico",
    "static/",
    "hooks/",
)
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
ACT = re.compile(
    r"/(archive|cancel|retry|pause|resume|ask|release|withdraw|update|roll-back|retire|revoke|rotate|switch|stream|files)$"
    r"|/(uploads|parts|complete|columns|decide|guess|read|copy|count|mark|apply|open-test|restore|take|make|delete|test|rate|ask-review)$"
)


@dataclass(frozen=True, slots=True)
class Page:
    """One address. `names` are the parameters in it."""

    route: str
    names: tuple[str, ...]

    @property
    def is_act(self) -> bool:
        """Whether it takes forms alone."""
        return bool(ACT.search(self.route))

    def address(self, ids: Mapping[str, str]) -> str:
        return "/" + PARAMETER.sub(lambda found: ids[found[1]], self.route)


def _walk(patterns: list[Any], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def pages() -> list[Page]:
    """All pages, in the order of the table."""
    routes = [route for route in _walk(get_resolver().url_patterns) if not route.startswith(APART)]
    return [Page(route, tuple(PARAMETER.findall(route))) for route in routes]
