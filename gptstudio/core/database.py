"""Whether the database answers and is of this version, asked before anything starts. It knows no tables but Django's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

from gptstudio.core.errors import Conflict, Unavailable

SECONDS = 5
PREPARING = 0x5EED  # a number that nothing else in this database locks by


@contextmanager
def _probe() -> Iterator[BaseDatabaseWrapper]:
    """A connection past the pool, which would try for half a minute and then not say why. Processes fork after this."""
    probe = connections[DEFAULT_DB_ALIAS].copy()
    is_server = probe.vendor == "postgresql"
    options = {name: value for name, value in probe.settings_dict["OPTIONS"].items() if name != "pool"}
    probe.settings_dict["OPTIONS"] = options | ({"connect_timeout": SECONDS} if is_server else {})
    try:
        try:
            probe.ensure_connection()
        except Error as error:
            lines = str(error).strip().splitlines() or ["no reason given"]
            at = probe.settings_dict
            where = f"at {at['HOST'] or 'the local socket'}" if is_server else str(at["NAME"])
            raise Unavailable(
                f"The database {where} does not answer ({lines[0]}).", fix="Start it, or correct DATABASE_URL."
            ) from error
        yield probe
    finally:
        probe.close()


@contextmanager
def alone() -> Iterator[None]:
    """Of several that bring one PostgreSQL database up to date at once, each waits for the one before. SQLite has one machine."""
    with _probe() as probe:
        if probe.vendor == "postgresql":
            with probe.cursor() as cursor:
                cursor.execute("select pg_advisory_lock(%s)", [PREPARING])  # goes with the connection
        yield


def check_database() -> None:
    """Raise Unavailable with the server's own reason."""
    with _probe():
        pass


def check_not_newer(*, version: str) -> None:
    """Raise Conflict where the database has gone through steps that this studio does not know."""
    with _probe() as probe:
        loader = MigrationLoader(probe, ignore_no_migrations=True)
        _check_known(loader, version)


def check_schema(*, version: str) -> None:
    """Raise Conflict where the database has not gone through the steps of this studio, or through steps of a newer one.

    Web, workers and reconciler ask at their start, so that two versions never work on one database unnoticed.
    """
    with _probe() as probe:
        loader = MigrationLoader(probe, ignore_no_migrations=True)
        _check_known(loader, version)
        waiting = {".".join(step) for step in loader.disk_migrations or {}} - applied_steps(loader)
    if waiting:
        raise Conflict(
            f"The database is that of an older studio than version {version}: it lacks {min(waiting)}.",
            fix="Run `manage.py prepare` of this version first, and stop what still runs of the older one.",
        )


def _check_known(loader: MigrationLoader, version: str) -> None:
    if unknown := sorted(applied_steps(loader) - known_steps(loader)):
        raise Conflict(
            f"The database is that of a newer studio: it has gone through {unknown[0]}, which version {version} does not "
            "know.",
            fix="Start web, workers and reconciler of one version, or restore the backup from before.",
        )


def applied_steps(loader: MigrationLoader) -> set[str]:
    """What the database has gone through, as `app.name`."""
    return {".".join(step) for step in loader.applied_migrations or {}}


def known_steps(loader: MigrationLoader) -> set[str]:
    """What this studio knows, as `app.name`; also what its own steps have taken the place of."""
    disk = loader.disk_migrations or {}
    steps: Iterable[tuple[str, str]] = [*disk, *(step for each in disk.values() for step in each.replaces)]
    return {".".join(step) for step in steps}
