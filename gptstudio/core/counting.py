"""How many rows hang on each row of a query, counted beside it: no join that multiplies rows, and nothing for rows not read."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce


def count_of(rows: QuerySet[Any], path: str) -> Coalesce:
    """Of `rows`, those whose `path` is the id of the row that is annotated with it."""
    mine = rows.filter(**{path: OuterRef("pk")}).order_by().values(path)
    return Coalesce(Subquery(mine.annotate(n=Count("pk")).values("n")), 0)
