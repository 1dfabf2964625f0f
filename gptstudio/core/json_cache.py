"""Django's cache in the database with values as JSON, where Django's own are pickles: what is read there can run nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import DatabaseError, connections, router, transaction
from django.utils import timezone

NEVER = datetime(9999, 12, 31, tzinfo=UTC)


class JsonCache(DatabaseCache):
    """Values are what JSON knows: texts, numbers, lists, objects. TypeError for others."""

    _table: str  # Django's types do not say that there is one

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        """What is kept under these keys and has not expired."""
        names = {self.make_and_validate_key(key, version=version): key for key in keys}
        if not names:
            return {}
        connection = connections[router.db_for_read(self.cache_model_class)]
        table, marks = connection.ops.quote_name(self._table), ", ".join(["%s"] * len(names))
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(
                f"select cache_key, value from {table} where cache_key in ({marks}) and expires >= %s",  # noqa: S608 - the table's name
                [*names, now],
            )
            return {names[key]: json.loads(value) for key, value in cursor.fetchall()}

    def _base_set(self, mode: str, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT) -> bool:
        """`set`, `add` (only where nothing is kept that has not expired) or `touch`; whether it was done."""
        until = self.get_backend_timeout(timeout)
        expires = NEVER if until is None else datetime.fromtimestamp(until, tz=UTC)
        db = router.db_for_write(self.cache_model_class)
        adapt, table = connections[db].ops.adapt_datetimefield_value, connections[db].ops.quote_name(self._table)
        now, then = timezone.now().replace(microsecond=0), adapt(expires.replace(microsecond=0))
        if mode == "touch":
            asked, given = f"update {table} set expires = %s where cache_key = %s", [then, key]  # noqa: S608 - as above
        else:
            asked = (
                f"insert into {table} (cache_key, value, expires) values (%s, %s, %s) "  # noqa: S608 - as above
                "on conflict (cache_key) do update set value = excluded.value, expires = excluded.expires"
            )
            given = [key, json.dumps(value), then]
            if mode == "add":
                asked, given = f"{asked} where {table}.expires < %s", [*given, adapt(now)]
        try:
            with transaction.atomic(using=db), connections[db].cursor() as cursor:
                self._make_room(db, cursor, now)
                cursor.execute(asked, given)
                return bool(cursor.rowcount)
        except DatabaseError:  # as Django's: a cache that cannot be written to keeps nobody out
            return False

    def _make_room(self, db: str, cursor: Any, now: datetime) -> None:
        cursor.execute(f"select count(*) from {connections[db].ops.quote_name(self._table)}")  # noqa: S608 - as above
        count = cursor.fetchone()[0]
        if count > self._max_entries:
            self._cull(db, cursor, now, count)  # type: ignore[attr-defined]
