"""What watchers ask: the whole studio, and this one process."""

from __future__ import annotations

from asgiref.sync import async_to_sync
from django.db import OperationalError, connection
from django.test import AsyncClient, Client


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


PATHS = ("/health/web", "/health", "/metrics", "/", "/accounts/login/")
POD = "10.42.0.17:8000"


def test_machines_that_ask_a_pod_by_its_address_are_answered_and_nobody_else(db, settings) -> None:
    settings.ALLOWED_HOSTS, settings.METRICS_TOKEN = ["studio.example"], "tell"
    token, client = {"authorization": "Bearer tell"}, Client(raise_request_exception=False)
    in_a_loop = async_to_sync(AsyncClient(raise_request_exception=False).get)
    for ask in (client.get, in_a_loop):
        answered = {path: ask(path, headers={"host": POD, **token}).status_code for path in PATHS}
        assert answered == {"/health/web": 200, "/health": 503, "/metrics": 200, "/": 400, "/accounts/login/": 400}
        assert ask("/metrics", headers={"host": POD}).status_code == 400, "without its token it is a page like others"
