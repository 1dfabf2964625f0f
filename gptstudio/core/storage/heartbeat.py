"""A heartbeat for whoever waits while gigabytes travel: its lease would run out meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillBusy
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

BEAT_SECONDS = 2.5  # an eighth of a lease
Result = TypeVar("Result")
_beat: ContextVar[Callable[[], object] | None] = ContextVar("beat", default=None)


@contextmanager
def beating(beat: Callable[[], object]) -> Iterator[None]:
    """Within it, whatever is copied to the bucket or fetched from it calls `beat` every few seconds."""
    token = _beat.set(beat)
    try:
        yield
    finally:
        _beat.reset(token)


def carried(work: Callable[[], Result]) -> Result:
    """Do the work in a thread of its own while this one, which holds the database's connection, gives the heartbeat."""
    beat = _beat.get()
    if beat is None:
        return work()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage") as threads:
        doing = threads.submit(work)
        while True:
            try:
                return doing.result(timeout=BEAT_SECONDS)
            except StillBusy:
                if doing.done():  # the work itself says so
                    raise
                beat()
