"""Whether the database answers, and what is said when it does not."""

from __future__ import annotations

import pytest
from django.db import connection

from gptstudio.core.database import PREPARING, _probe, alone, check_database
from gptstudio.core.errors import Unavailable


def test_a_database_that_answers_passes(db) -> None:
    check_database()


def test_a_database_that_is_away_is_named(db, monkeypatch, tmp_path) -> None:
    if connection.vendor == "postgresql":
        monkeypatch.setitem(connection.settings_dict, "HOST", "no-such-host.invalid")
    else:
        monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "none" / "studio.sqlite3"))
    with pytest.raises(Unavailable, match="does not answer") as refused:
        check_database()
    assert "DATABASE_URL" in refused.value.fix


def test_who_brings_the_database_up_to_date_does_so_alone(db) -> None:
    def is_free() -> bool:
        if connection.vendor != "postgresql":
            return False  # SQLite has one machine, whose processes wait for each other's writes
        with _probe() as other, other.cursor() as cursor:
            cursor.execute("select pg_try_advisory_lock(%s)", [PREPARING])
            return bool(cursor.fetchone()[0])

    with alone():
        assert not is_free()
    assert is_free() == (connection.vendor == "postgresql")
