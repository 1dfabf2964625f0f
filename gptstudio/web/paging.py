"""Pages of a list by number: which one is asked for, and how one goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

SIZE = 25
FURTHEST = 100_000


@dataclass(frozen=True, slots=True)
class Span:
    """One page of `total` rows: `first` and `last` are 1-based; `before` and `after` are page numbers or None."""

    rows: list[Any]
    total: int
    number: int
    first: int
    last: int
    before: int | None
    after: int | None


def page_number(request: HttpRequest) -> int:
    """The page that the address asks for; anything odd is the first."""
    raw = request.GET.get("page", "1")
    return min(max(int(raw), 1), FURTHEST) if raw.isascii() and raw.isdigit() else 1


def span(rows: list[Any], *, total: int, number: int, size: int = SIZE) -> Span:
    """Frame rows that were already cut to one page."""
    first = (number - 1) * size + 1 if rows else 0
    last = first + len(rows) - 1 if rows else 0
    after = number + 1 if last < total and rows else None
    return Span(rows, total, number, first, last, number - 1 if number > 1 else None, after)


def page_of(request: HttpRequest, queryset: QuerySet[Any], *, size: int = SIZE) -> Span:
    """The asked page of a queryset; past the end is the last page."""
    page = Paginator(queryset, size).get_page(page_number(request))
    return span(list(page.object_list), total=page.paginator.count, number=page.number, size=size)
