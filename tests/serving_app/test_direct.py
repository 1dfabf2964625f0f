"""Inference past Django's own handler: the same gate, the same headers, and no signal or thread for each request."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from pathlib import Path

import httpx
import pytest
from django.core.signals import request_started

from gptstudio.core.bodies import BodyGate, DjangoOnOwnDisk
from gptstudio.overview.bodies import StudioBodies
from serving_app.models import UsageEvent
from serving_app.openai import direct
from serving_app.openai.direct import InferenceFirst
from tests.serving_app.conftest import begin, until

HELLO = [{"role": "user", "content": "Hello there"}]


@pytest.fixture
def started() -> list[str]:
    """Paths of requests that went through Django's handler."""
    found: list[str] = []

    def note(sender: object, scope: dict[str, str], **_: object) -> None:
        found.append(scope["path"])

    request_started.connect(note)
    yield found
    request_started.disconnect(note)


def test_an_answer_has_the_headers_of_every_other_answer(studio, base_model, make_key, started):
    program = {"Authorization": f"Bearer {make_key()}"}
    listed = httpx.get(f"{studio}/v1/models", headers=program, timeout=60)
    body = {"model": base_model.name, "messages": HELLO, "max_tokens": 2}
    asked = httpx.post(f"{studio}/v1/chat/completions", headers=program, json=body, timeout=60)
    refused = httpx.get(f"{studio}/v1/chat/completions", headers=program, timeout=60)
    assert (asked.status_code, refused.status_code) == (200, 405)
    for answer in (asked, refused):
        for name in ("x-content-type-options", "referrer-policy", "cross-origin-opener-policy"):
            assert answer.headers[name] == listed.headers[name]
        assert answer.headers["x-request-id"].startswith("req_")
    assert started == ["/v1/models"]


def test_a_caller_who_leaves_before_the_body_has_come_leaves_nothing(studio, base_model, make_key):
    host, port = studio.removeprefix("http://").split(":")
    head = f"POST /v1/completions HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {make_key()}\r\n"
    with socket.create_connection((host, int(port))) as caller:
        caller.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
        time.sleep(0.2)
    time.sleep(0.2)
    assert httpx.get(f"{studio}/v1/models", timeout=60).status_code == 401
    assert not UsageEvent.objects.exists()


def open_files(folder: str) -> list[str]:
    """Files beneath a folder that this process holds open, removed ones included."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(each.readlink()))
        except FileNotFoundError:
            continue
    return [each for each in found if each.startswith(folder)]


def test_a_large_body_that_is_under_way_lies_on_disk_and_is_answered(studio, base_model, make_key, settings):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000
    messages = [{"role": "user", "content": "Hello"}]
    body = json.dumps({"model": base_model.name, "messages": messages, "max_tokens": 2}).encode() + b" " * 200_000
    with begin(studio, key=make_key(), length=len(body)) as caller:
        caller.sendall(body[:100_000])
        until(lambda: open_files(settings.FILE_UPLOAD_TEMP_DIR))
        caller.sendall(body[100_000:])
        assert caller.recv(15) == b"HTTP/1.1 200 OK"
    until(lambda: not open_files(settings.FILE_UPLOAD_TEMP_DIR))


@pytest.mark.parametrize("begun", [b"", b"{"])
def test_a_body_that_does_not_come_in_time_is_refused_and_let_go(studio, monkeypatch, begun):
    monkeypatch.setattr(direct, "BODY_SECONDS", 0.3)
    with begin(studio, length=100) as caller:
        caller.sendall(begun)
        answer = ""
        while "request_timeout" not in answer and (piece := caller.recv(10_000)):
            answer += piece.decode()
    assert answer.startswith("HTTP/1.1 408") and "request_timeout" in answer and "x-request-id: req_" in answer


def test_a_foreign_host_over_plain_http_is_refused_in_the_envelope(settings):
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["studio.example"]
    application = BodyGate(InferenceFirst(DjangoOnOwnDisk()), StudioBodies())

    async def ask(host: str) -> httpx.Response:
        way = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=way, base_url=f"http://{host}") as caller:
            return await caller.post("/v1/chat/completions", headers={"Authorization": "Bearer x"}, json={})

    refused, sent_on = asyncio.run(ask("thief.example")), asyncio.run(ask("studio.example"))
    assert refused.status_code == 400 and refused.json()["error"]["code"] == "invalid_request"
    assert sent_on.status_code == 301
    assert sent_on.headers["location"] == "https://studio.example/v1/chat/completions"
    for answer in (refused, sent_on):
        assert answer.headers["x-request-id"].startswith("req_") and "x-content-type-options" in answer.headers
