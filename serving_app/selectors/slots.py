"""Rows of a span of time, gathered slot by slot in the database: what a chart shows of a week is a few dozen rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Expression, Func, IntegerField, QuerySet, TextField, Value


class SlotOf(Func):
    """Which slot of so many seconds since a moment a time lies in, from 0."""

    output_field = IntegerField()

    def __init__(self, column: str, since: datetime, length: timedelta) -> None:
        super().__init__(column, Value(since), Value(length.total_seconds()))

    def _whole(self, compiler: Any, template: str) -> tuple[str, tuple[Any, ...]]:
        parts = [compiler.compile(each) for each in self.get_source_expressions()]
        return template.format(*(sql for sql, _ in parts)), tuple(value for _, values in parts for value in values)

    def as_sqlite(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, tuple[Any, ...]]:
        return self._whole(compiler, "CAST((julianday({0}) - julianday({1})) * 86400 / {2} AS INTEGER)")

    def as_postgresql(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, tuple[Any, ...]]:
        return self._whole(compiler, "FLOOR(DATE_PART('epoch', {0} - {1}) / {2})::integer")


class Listed(Aggregate):
    """All whole numbers of a group in one text, commas between them; None where there are none."""

    function = "GROUP_CONCAT"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        text = self.copy()
        text.template = "STRING_AGG(CAST(%(expressions)s AS TEXT), ',')"
        return super(Listed, text).as_sql(compiler, connection, **context)


def listed(text: str | None, *, scale: float) -> list[float]:
    """The numbers of `Listed`, the smallest first."""
    return sorted(int(each) * scale for each in text.split(",")) if text else []


def by_slot(
    rows: QuerySet[Any], column: str, *, since: datetime, length: timedelta, **sums: Expression
) -> QuerySet[Any, dict[str, Any]]:
    """One row a slot that has any: `slot`, and these aggregates of it."""
    slots = rows.order_by().annotate(slot=SlotOf(column, since, length)).values("slot")
    found: QuerySet[Any, dict[str, Any]] = slots.annotate(**sums)
    return found
