"""Rows by the million into a table, by its model: COPY on PostgreSQL, prepared statements on SQLite."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice
from typing import Any

from django.db import connection, models, transaction

BATCH = 5000


def pour(objects: Iterable[models.Model]) -> int:
    """Write unsaved objects of one model just as they are (times of creation too); how many. They get no id back."""
    waiting = iter(objects)
    first = next(waiting, None)
    if first is None:
        return 0
    fields = [field for field in first._meta.local_concrete_fields if not isinstance(field, models.AutoField)]

    def values(row: models.Model) -> list[Any]:
        return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]

    rows = map(values, chain([first], waiting))
    into = f"{_quoted(first._meta.db_table)} ({', '.join(_quoted(field.column) for field in fields)})"
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _copied(cursor, into, rows)
        count = 0
        while some := list(islice(rows, BATCH)):
            cursor.executemany(f"INSERT INTO {into} VALUES ({', '.join(['%s'] * len(fields))})", some)
            count += len(some)
        return count


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _copied(cursor: Any, into: str, rows: Iterable[list[Any]]) -> int:
    count = 0
    with cursor.copy(f"COPY {into} FROM STDIN") as lines:
        for row in rows:
            lines.write_row(row)
            count += 1
    return count
