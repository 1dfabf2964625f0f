"""Whether the database answers, and what is said when it does not."""

from __future__ import annotations

import pytest
from django.db import connection

from gptstudio.core.database import check_database
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
