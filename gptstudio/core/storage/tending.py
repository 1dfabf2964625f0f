"""What lies on this machine and in the bucket is looked through for what may not be kept any more.

Whoever erases something deletes it here and in the bucket. Other machines have copies, and the bucket may be away at that
moment, so every process that keeps files looks each minute. What is gone is for the apps to say: the database knows.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db import Error as DatabaseError
from django.utils import timezone

from gptstudio.core.errors import StudioError
from gptstudio.core.storage import bucket
from gptstudio.core.storage.cache import evict
from gptstudio.core.storage.folders import is_set, let_go

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 60.0
ASKED_AT_ONCE = 500
HALF_MADE_FOR = timedelta(days=1)

Gone = Callable[[Collection[str]], Collection[str]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A folder of things: which of these names may not be kept any more, and how one is forgotten here and in the bucket.

    `here` and `in_bucket` say which of the two is looked through for them.
    """

    folder: str
    gone: Gone
    forget: Callable[[str], None]
    here: bool
    in_bucket: bool


_kinds: list[Kind] = []


def register(
    folder: str,
    gone: Gone,
    *,
    forget: Callable[[str], None] | None = None,
    here: bool = True,
    in_bucket: bool = True,
) -> None:
    """Apps say when they start what of a folder is gone; `forget` gets a name in it, and deletes all of it unless said."""
    _kinds.append(Kind(folder, gone, forget or partial(_delete, folder, here=here), here, in_bucket))


def _delete(folder: str, name: str, *, here: bool) -> None:
    let_go(f"{folder}/{name}", here=here)


def tidy() -> int:
    """Forget what is gone, of what lies on this machine. Returns how many."""
    home = Path(settings.STUDIO_HOME)
    return sum(_forget(kind, _names_here(home / kind.folder)) for kind in _kinds if kind.here)


def tidy_bucket() -> int:
    """The same of what lies in the bucket, and uploads to it that nobody ends."""
    if not is_set():
        return 0
    bucket.abort_parts(before=timezone.now() - HALF_MADE_FOR)
    return sum(
        _forget(kind, {name.removesuffix("/").removesuffix(".json") for name in bucket.names(kind.folder)})
        for kind in _kinds
        if kind.in_bucket
    )


def _names_here(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")} if folder.is_dir() else set()


def _forget(kind: Kind, names: Collection[str]) -> int:
    gone = [name for some in _some(names) for name in kind.gone(some)]
    for name in gone:
        kind.forget(name)
        logger.info("%s/%s is gone, and no copy of it is kept", kind.folder, name)
    return len(gone)


def _some(names: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(names)
    for start in range(0, len(ordered), ASKED_AT_ONCE):
        yield ordered[start : start + ASKED_AT_ONCE]


@contextmanager
def _connection_of_its_own() -> Iterator[None]:
    """For this thread, past the pool: a worker forks while the thread lives, and a pool does not outlive that."""
    own = connections[DEFAULT_DB_ALIAS].copy()
    own.settings_dict["OPTIONS"] = {
        name: value for name, value in own.settings_dict["OPTIONS"].items() if name != "pool"
    }
    connections[DEFAULT_DB_ALIAS] = own
    try:
        yield
    finally:
        own.close()


def tend(stop: threading.Event) -> None:
    """Tidy this machine, and keep its cache within bounds, each minute until told to stop."""
    with _connection_of_its_own():
        while not stop.wait(PAUSE_SECONDS):
            try:
                tidy()
                evict()
            except (DatabaseError, StudioError, OSError) as error:
                logger.warning("copies of what is gone may be left on this machine: %s", error)
            finally:
                connections[DEFAULT_DB_ALIAS].close()


def start_tending(stop: threading.Event) -> None:
    """A thread that tends this machine, where there is a bucket."""
    if is_set():
        threading.Thread(target=tend, args=(stop,), name="tending", daemon=True).start()
