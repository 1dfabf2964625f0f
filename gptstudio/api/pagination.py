"""Lists come in pages by cursor: `?after=<id>&limit=<n>`; ids sort by time of birth."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request

from gptstudio.core.errors import Invalid

LARGEST = 100


def page(request: Request, queryset: QuerySet[Any], *, default: int = 20, by: str = "id") -> tuple[list[Any], bool]:
    """One page, newest first, and whether more follows. `queryset` must have unique minted ids in the column `by`."""
    raw = request.query_params.get("limit", str(default))
    if not raw.isdecimal() or not 1 <= int(raw) <= LARGEST:
        raise Invalid(f"limit is {raw!r}.", fix=f"Use a whole number from 1 to {LARGEST}.", param="limit")
    limit = int(raw)
    rows = queryset.order_by(f"-{by}")
    if after := request.query_params.get("after"):
        if not after.isprintable():  # PostgreSQL takes no NUL
            raise Invalid("after is not the id of an item.", fix="Use the `next` of the page before.", param="after")
        rows = rows.filter(**{f"{by}__lt": after})
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit
