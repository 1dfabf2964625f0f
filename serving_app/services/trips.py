"""Trips to the database from async code: a few threads with connections that stay open between trips.

Nothing is held while tokens flow. A trip that was started runs to its end, also when its caller is cancelled.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connection

P = ParamSpec("P")
R = TypeVar("R")
THREADS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="ledger")


def leave_connection() -> None:
    """Give a pooled connection back; keep SQLite's open (opening costs more than the trip) unless it failed."""
    if connection.vendor != "sqlite" or connection.errors_occurred:
        connection.close()


async def in_ledger_thread(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a service in one of the threads."""

    def trip() -> R:
        try:
            return work(*args, **kwargs)
        finally:
            leave_connection()

    return await sync_to_async(trip, thread_sensitive=False, executor=THREADS)()
