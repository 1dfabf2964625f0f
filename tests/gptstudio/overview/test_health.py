"""What watchers ask: the whole studio, and this one process."""

from __future__ import annotations

from django.db import OperationalError, connection
from django.test import Client


def test_a_web_process_that_reaches_its_database_is_ready_whoever_else_is_away(client: Client, db, studio_home) -> None:
    answer = client.get("/health/web")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert client.get("/health").status_code == 503, "no worker and no engine run here"


def test_a_web_process_without_its_database_says_so(client: Client, db, monkeypatch) -> None:
    def away(*_arguments: object) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", away)
        answer = client.get("/health/web")
    assert (answer.status_code, answer.json()) == (503, {"status": "database away"})
    assert answer.headers["Retry-After"] == "2"
