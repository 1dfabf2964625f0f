"""DuckDB on a leash: in memory, two threads, a memory limit, nothing installed or loaded by itself. Asks nothing.

Statements are constants of this package; whatever people type goes in as a parameter, paths too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

LEASH: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "512MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def _connected(spill: str) -> duckdb.DuckDBPyConnection:
    import duckdb  # late: most requests never look into a version

    connection = duckdb.connect(":memory:", config={**LEASH, "temp_directory": spill})
    connection.execute("LOAD parquet")  # it is part of the package
    connection.execute(
        "SET GLOBAL parquet_metadata_cache = true"
    )  # the end of an index is read once, not at each question
    connection.execute("SET lock_configuration = true")
    return connection


@lru_cache(maxsize=1)
def _root(process: int) -> duckdb.DuckDBPyConnection:
    return _connected("")


@contextmanager
def spilling_database(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database by itself under the same limits, which lays aside in ``folder`` what has no room in memory."""
    connection = _connected(str(folder))
    try:
        yield connection
    finally:
        connection.close()


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
