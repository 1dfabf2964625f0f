"""Trips to the database from async code: a few threads with connections that stay open between trips.

Nothing is held while tokens flow. A trip that was started runs to its end, also when its caller is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from django.db import connection

P = ParamSpec("P")
R = TypeVar("R")
# SQLite lets one write at a time, and whoever finds it busy sleeps for longer and longer: a queue is quicker.
LEDGER = ThreadPoolExecutor(max_workers=1 if connection.vendor == "sqlite" else 8, thread_name_prefix="ledger")
GUARDS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="guards")
REPORTS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="reports")
STRANGERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="strangers")
KEEPING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keeping")


def leave_connection() -> None:
    """Give a pooled connection back; keep SQLite's open (opening costs more than the trip) unless it failed."""
    if connection.vendor != "sqlite" or connection.errors_occurred:
        connection.close()


async def in_ledger_thread(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a short service that begins or ends an attempt."""
    return await _in(LEDGER, lambda: work(*args, **kwargs))


async def in_report_thread(work: Callable[[], R]) -> R:
    """Run a reading that may take long: no attempt waits for it."""
    return await _in(REPORTS, work)


async def in_strangers_thread(work: Callable[[], R]) -> R:
    """Run a reading that anybody may ask for: neither attempts nor reports wait for it."""
    return await _in(STRANGERS, work)


def queue_for_ledger(work: Callable[[], R]) -> Future[R]:
    """The same from a thread."""
    return LEDGER.submit(_trip, work)


async def in_guard_thread(work: Callable[[], R]) -> R:
    """Look at texts, which takes longer the longer they are. It asks no database, and no trip waits for it."""
    return await asyncio.get_running_loop().run_in_executor(GUARDS, work)


def after_answers(work: Callable[[], R]) -> Future[R]:
    """Run what no answer waits for, one after another; neither attempts nor reports wait for it either."""
    return KEEPING.submit(work)


async def answers_are_kept() -> None:
    """Wait for all that was given to `after_answers`."""
    await asyncio.get_running_loop().run_in_executor(KEEPING, lambda: None)


async def _in(threads: ThreadPoolExecutor, work: Callable[[], R]) -> R:
    return await asyncio.get_running_loop().run_in_executor(threads, copy_context().run, _trip, work)


def _trip(work: Callable[[], R]) -> R:
    try:
        return work()
    finally:
        leave_connection()
