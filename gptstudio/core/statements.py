"""SQL for the path of every request. Django makes a query's text anew each time, which costs far more than the query;
here it is made once. It knows no tables.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import AutoField, Model, QuerySet

T = TypeVar("T")
Row = tuple[Any, ...]
MOST_KEPT = 1_000


class Reading(Generic[T]):
    """A queryset that is compiled once. `query` builds it from as many values as `kinds` names (str or datetime).

    A value must end up in the query as it is given: the text of the query cannot depend on it.
    """

    def __init__(self, query: Callable[..., QuerySet[Any, T]], *kinds: type) -> None:
        self._query = query
        self._slots = [_slot(kind, number) for number, kind in enumerate(kinds)]
        self._kept: OrderedDict[tuple[Row, ...], list[T]] = OrderedDict()
        self._lock = Lock()

    @cached_property
    def _compiled(self) -> tuple[str, list[tuple[int | None, Any]]]:
        """The text, and for each parameter which value it is, or its constant."""
        sql, parameters = self._query(*self._slots).query.sql_with_params()
        places: dict[Any, int] = {_adapted(slot): number for number, slot in enumerate(self._slots)}
        return sql, [(places.get(each), each) for each in parameters]

    def rows(self, *values: Any) -> tuple[Row, ...]:
        """Columns as the database gives them."""
        sql, places = self._compiled
        with connection.cursor() as cursor:
            cursor.execute(sql, [each if at is None else _adapted(values[at]) for at, each in places])
            return tuple(map(tuple, cursor.fetchall()))

    def objects(self, *values: Any) -> list[T]:
        """What the queryset gives. The rows are read each time; objects are made for rows that differ from those seen.

        Nobody may change these objects: others are given the same ones.
        """
        rows = self.rows(*values)
        with self._lock:
            found = self._kept.get(rows)
        if found is None:
            found = list(self._query(*values))
            if self.rows(*values) == rows:  # else they changed between the two readings
                self._keep(rows, found)
        return found

    def _keep(self, rows: tuple[Row, ...], found: list[T]) -> None:
        with self._lock:
            self._kept[rows] = found
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)


def _slot(kind: type, number: int) -> Any:
    """A value that stands for the real one while the text is made."""
    return datetime(1000 + number, 1, 1, tzinfo=UTC) if kind is datetime else f"\x01slot {number}"


def _adapted(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


@lru_cache
def _insert_of(model: type[Model]) -> tuple[str, list[Any]]:
    fields = [each for each in model._meta.concrete_fields if not isinstance(each, AutoField)]
    columns = ", ".join(connection.ops.quote_name(str(each.column)) for each in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    return f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(fields))})", fields  # noqa: S608 - names of ours


def insert(row: Model) -> None:
    """Add a row, as `save(force_insert=True)` but without signals, and without learning a key that the database makes."""
    sql, fields = _insert_of(type(row))
    execute(sql, [each.get_db_prep_save(each.pre_save(row, add=True), connection) for each in fields])


def execute(sql: str, values: Sequence[Any]) -> int:
    """Run a statement that gives no rows; how many it changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)
