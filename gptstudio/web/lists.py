"""Lists as their address asks for them: words that narrow them (`q`), choices, the order (`sort`) and the page.

What may be searched and sorted by is said by the view of each list. What is in a list is its selector's concern.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Expression
from django.http import HttpRequest

from gptstudio.web.paging import SIZE, Span, page_of

LONGEST = 120
Sorts = Mapping[str, str | Expression]


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to narrow a list: its name in the address, its label, and for each value its words and what it lets through.

    Where nothing is chosen, all is shown. None lets everything through: the view itself asks another selector then.
    """

    name: str
    label: str
    options: Mapping[str, tuple[str, Q | None]]

    def chosen(self, request: HttpRequest) -> str:
        """The value that the address asks for; nothing for what is none."""
        value = request.GET.get(self.name, "")
        return value if value in self.options else ""


def by_field(name: str, label: str, choices: Sequence[tuple[Any, Any]], *, field: str = "") -> Choice:
    """A choice among the values of a field."""
    return Choice(name, label, {str(value): (str(title), Q(**{field or name: value})) for value, title in choices})


def put_away_choice() -> Choice:
    """What was put away, in place of what is in use; the view asks the selector for it."""
    return Choice("shown", "Show", {"away": ("Put away", None)})


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list, and what was asked of it. `sort` is a column's key, with `-` for downwards."""

    span: Span
    wanted: str
    has_search: bool
    choices: Sequence[tuple[Choice, str]]
    sort: str
    usual: str
    sorts: Sorts

    @property
    def is_narrowed(self) -> bool:
        """Whether there may be more than is shown."""
        return bool(self.wanted) or any(value for _choice, value in self.choices)


def wanted_by(request: HttpRequest) -> str:
    """The words to look for."""
    return request.GET.get("q", "").strip()[:LONGEST]


def listed(
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    sorts: Sorts,
    usual: str,
    find: Sequence[str] | None = None,
    choices: Sequence[Choice] = (),
    then: str = "id",
    size: int = SIZE,
) -> Listing:
    """The asked page of `rows`, which come in the order `usual`.

    `sorts`: what each column sorts by. `find`: the fields that the words are looked for in; None: the selector has looked
    already, and an empty list: nothing is looked for. `then` orders what is equal.
    """
    wanted = wanted_by(request)
    if wanted and find:
        rows = rows.filter(reduce(or_, (Q(**{f"{field}__icontains": wanted}) for field in find)))
    chosen = [(choice, choice.chosen(request)) for choice in choices]
    for choice, value in chosen:
        rule = choice.options[value][1] if value else None
        rows = rows if rule is None else rows.filter(rule)
    sort = request.GET.get("sort", "")
    sort = sort if sort.removeprefix("-") in sorts else usual
    if sort != usual:
        named = sorts[sort.removeprefix("-")]
        by = F(named) if isinstance(named, str) else named
        rows = rows.order_by(by.desc(), f"-{then}") if sort.startswith("-") else rows.order_by(by.asc(), then)
    has_search = find is None or bool(find)
    return Listing(
        page_of(request, rows, size=size), wanted if has_search else "", has_search, chosen, sort, usual, sorts
    )
