"""DuckDB on a leash: in memory, two threads, a memory limit, nothing installed or loaded by itself. Asks nothing.

Statements are constants of this package; whatever people type goes in as a parameter, paths too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

LEASH: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "512MB",
    "temp_directory": "",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "lock_configuration": True,
}


@lru_cache(maxsize=1)
def _root(process: int) -> duckdb.DuckDBPyConnection:
    import duckdb  # late: most requests never look into a version

    return duckdb.connect(":memory:", config=LEASH)


@contextmanager
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of one's own to the process's one database, which holds the limits for all of them together."""
    connection = _root(os.getpid()).cursor()
    try:
        yield connection
    finally:
        connection.close()


def columns_of(connection: duckdb.DuckDBPyConnection) -> Sequence[str]:
    """Names of the columns of the statement that ran last."""
    return [part[0] for part in connection.description or ()]
