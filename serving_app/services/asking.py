"""Engines asked from code that waits: an event loop in a thread of its own, where a call may go on between two passes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from gptstudio.core import heartbeats
from serving_app import engine_client

T = TypeVar("T")
BEAT_SECONDS = 3.0


class Stopped(Exception):
    """The process was asked to stop while an engine was busy."""


class NotYet(Exception):
    """What was asked takes longer than was to be waited; it goes on."""


class Asking:
    """Asks engines, with a sign of life while it waits; leaves at once when asked to stop."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="asking", daemon=True)
        self._thread.start()

    def ask(self, call: Coroutine[Any, Any, T]) -> T:
        """What comes of a call. Raises what it raises, Stopped."""
        return self.wait(self.begin(call), seconds=None)

    def begin(self, call: Coroutine[Any, Any, T]) -> Future[T]:
        """Ask, and do not wait."""
        return asyncio.run_coroutine_threadsafe(call, self._loop)

    def wait(self, future: Future[T], *, seconds: float | None) -> T:
        """What came of it. Raises NotYet when it is not there in time, what the call raises, Stopped."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            left = BEAT_SECONDS if deadline is None else min(BEAT_SECONDS, max(0.0, deadline - time.monotonic()))
            try:
                return future.result(timeout=left)
            except TimeoutError:
                if future.done():  # it is the call's own
                    raise
            heartbeats.beat("reconciler")
            if self._stop.is_set():
                future.cancel()
                raise Stopped
            if deadline is not None and time.monotonic() >= deadline:
                raise NotYet

    def close(self) -> None:
        """Leave what is under way, and end the thread."""
        asyncio.run_coroutine_threadsafe(_close(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()


async def _close() -> None:
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await engine_client.close()
