"""The database as one file, and back: SQLite by its backup call, PostgreSQL by pg_dump and pg_restore.

Both give one moment of a database that is being written to. Nobody waits for it: SQLite's writers go on in their
write-ahead log, PostgreSQL's under its snapshots.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from django.core.management import CommandError, call_command
from django.db import Error, connection
from django.db.backends.postgresql.client import DatabaseClient
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.loader import MigrationLoader

from gptstudio.core.database import applied_steps, known_steps
from gptstudio.core.disk import room_for
from gptstudio.core.errors import Conflict, Invalid, StudioError, Unavailable

FILES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
FAILURES_OF_STEPS = (  # steps rewrite rows, and files
    *(InconsistentMigrationHistory, Error, CommandError, StudioError),
    *(OSError, ValueError, LookupError, TypeError, RuntimeError),
)


def kind() -> str:
    """`sqlite` or `postgresql`."""
    return connection.vendor


def migrations() -> tuple[str, ...]:
    """The steps that the database has gone through, as `app.name`."""
    return tuple(sorted(applied_steps(MigrationLoader(connection, ignore_no_migrations=True))))


def check_known(made_with: Iterable[str], *, studio: str) -> None:
    """Raise Conflict where a backup has gone through steps that this studio does not have."""
    if unknown := sorted(set(made_with) - known_steps(MigrationLoader(None, ignore_no_migrations=True))):
        raise Conflict(
            f"This backup was made by a newer studio ({studio}): its database has gone through {unknown[0]}, which this "
            "one does not know.",
            fix="Install that version or a later one, then restore.",
        )


def check_empty() -> None:
    """Raise Conflict where the database holds tables already."""
    if tables := connection.introspection.table_names():
        raise Conflict(
            f"The database of DATABASE_URL is not empty: it holds {len(tables)} tables.",
            fix="Restore into a new database. Nothing was changed.",
        )


def dump(target: Path) -> None:
    """Write the database, as it is at one moment, to `target`."""
    connection.ensure_connection()
    if kind() == "postgresql":
        _run("pg_dump", ["--format=custom", "--no-owner", "--no-acl", f"--file={target}", _name()])
        return
    with room_for("the backup"):
        copy = sqlite3.connect(target)
        try:
            connection.connection.backup(copy)
            copy.execute("pragma journal_mode=delete")  # one file, with nothing beside it
        finally:
            copy.close()


def load(source: Path) -> None:
    """Fill the empty database from `source`, all of it or nothing."""
    if kind() == "postgresql":
        asked = [
            "--exit-on-error",
            "--single-transaction",
            "--no-owner",
            "--no-acl",
            f"--dbname={_name()}",
            str(source),
        ]
        _run("pg_restore", asked)
    else:
        connection.ensure_connection()
        read = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
        try:
            with room_for("the database"):
                read.backup(connection.connection)
        except sqlite3.DatabaseError as error:
            raise Invalid(f"{source} is no database ({error}).") from error
        finally:
            read.close()


def bring_up_to_date() -> None:
    """Take the database through the steps that it lacks. Raises Conflict where one fails: what it held it holds still."""
    try:
        call_command("migrate", verbosity=0)
    except FAILURES_OF_STEPS as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise Conflict(
            f"The backup is restored, files and database, but the steps that its database lacks failed: {lines[0]}",
            fix="Mend what that names, then run `manage.py prepare` and `manage.py verify_audit`. Nothing was removed.",
        ) from error


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _run(program: str, arguments: Sequence[str]) -> None:
    """One of PostgreSQL's own programs, told where the database is as Django tells psql: passwords by the environment."""
    settings = {**connection.settings_dict, "OPTIONS": _options()}
    where, told = DatabaseClient.settings_to_cmd_args_env(settings, [])
    try:
        subprocess.run(
            [program, "--no-password", *where[1:-1], *arguments],
            env={**os.environ, **(told or {})},
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        fix = (
            "Install PostgreSQL's client programs, of the server's version or a later one (Debian: postgresql-client)."
        )
        raise Unavailable(f"{program} is not installed, and it is what reads PostgreSQL here.", fix=fix) from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["no reason given"]
        if "server version mismatch" in error.stderr:
            fix = (
                "Install the programs of the server's version; build the image with --build-arg PG_MAJOR=<its number>."
            )
            raise Unavailable(f"{program} is older than the server: {lines[-1]}", fix=fix) from error
        raise Unavailable(f"{program} ended with: {lines[0]}") from error


def _options() -> dict[str, object]:
    return {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
