"""OpenAI's lists: a cursor that is the last item's id, and whether more follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTransform


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows."""

    rows: list[Any]
    has_more: bool


def page(queryset: QuerySet[Any], *, by: str, limit: int, after: str = "", ascending: bool = False) -> Page:
    """Rows that follow the row with the id `after` in the order of the column `by`, ids breaking ties.

    A cursor that names no row of the queryset gives an empty page.
    """
    step, sign = ("gt", "") if ascending else ("lt", "-")
    rows = queryset.order_by(f"{sign}{by}", f"{sign}pk")
    if after:
        last = queryset.filter(pk=after).first()
        if last is None:
            return Page([], False)
        value = getattr(last, by)
        rows = rows.filter(Q(**{f"{by}__{step}": value}) | Q(**{by: value, f"pk__{step}": last.pk}))
    found = list(rows[: limit + 1])
    return Page(found[:limit], len(found) > limit)


def with_metadata(queryset: QuerySet[Any], *, key: str, value: str) -> QuerySet[Any]:
    """Rows whose `metadata` holds this text under this key."""
    found: QuerySet[Any] = queryset.alias(asked=KeyTransform(key, "metadata")).filter(asked=value)
    return found
