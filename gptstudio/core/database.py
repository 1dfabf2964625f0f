"""Whether the database answers, asked before anything starts. It knows no tables."""

from __future__ import annotations

from django.db import DEFAULT_DB_ALIAS, Error, connections

from gptstudio.core.errors import Unavailable

SECONDS = 5


def check_database() -> None:
    """Raise Unavailable with the server's own reason.

    Asked past the connection pool, which would try for half a minute and then not say why.
    """
    probe = connections[DEFAULT_DB_ALIAS].copy()
    is_server = probe.vendor == "postgresql"
    options = {name: value for name, value in probe.settings_dict["OPTIONS"].items() if name != "pool"}
    probe.settings_dict["OPTIONS"] = options | ({"connect_timeout": SECONDS} if is_server else {})
    try:
        probe.ensure_connection()
    except Error as error:
        lines = str(error).strip().splitlines() or ["no reason given"]
        at = probe.settings_dict
        where = f"at {at['HOST'] or 'the local socket'}" if is_server else str(at["NAME"])
        raise Unavailable(
            f"The database {where} does not answer ({lines[0]}).", fix="Start it, or correct DATABASE_URL."
        ) from error
    finally:
        probe.close()
