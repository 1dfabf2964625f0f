"""A bucket behind STUDIO_HOME, where STORAGE_URL names one; then what lies on a machine is a cache of it."""

from gptstudio.core.storage.bucket import StorageTrouble
from gptstudio.core.storage.bucket import check as check_bucket
from gptstudio.core.storage.cache import asked_for, elsewhere, evict, fill, touch
from gptstudio.core.storage.folders import (
    drop,
    fetched,
    files_below,
    is_set,
    keep,
    let_go,
    listed,
    names,
    place,
    remove,
    sizes,
)
from gptstudio.core.storage.heartbeat import beating, carried
from gptstudio.core.storage.renewed import current, keep_anew
from gptstudio.core.storage.tending import register, start_tending, tidy, tidy_bucket

__all__ = [
    "StorageTrouble",
    "asked_for",
    "beating",
    "carried",
    "check",
    "current",
    "drop",
    "elsewhere",
    "evict",
    "fetched",
    "files_below",
    "fill",
    "is_set",
    "keep",
    "keep_anew",
    "let_go",
    "listed",
    "names",
    "place",
    "register",
    "remove",
    "sizes",
    "start_tending",
    "tidy",
    "tidy_bucket",
    "touch",
]


def check() -> None:
    """Raise StorageTrouble, with one sentence, where there is a bucket that cannot be used as the studio does."""
    if is_set():
        check_bucket()
