"""Pages of a list by number: which one is asked for, and how one goes on."""

from __future__ import annotations

from collections.abc import Sequence
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


def page_of(request: HttpRequest, rows: QuerySet[Any] | Sequence[Any], *, size: int = SIZE) -> Span:
    """The asked page of a queryset or a list; past the end is the last page."""
    if isinstance(rows, QuerySet) and rows.query.select_related:
        # What hangs on rows is brought for this page, not for all that are put in order.
        page = Paginator(rows.values_list("pk", flat=True), size).get_page(page_number(request))
        keys = list(page.object_list)
        found = {row.pk: row for row in rows.filter(pk__in=keys)}
        shown = [found[key] for key in keys if key in found]
    else:
        page = Paginator(rows, size).get_page(page_number(request))
        shown = list(page.object_list)
    return span(shown, total=page.paginator.count, number=page.number, size=size)
