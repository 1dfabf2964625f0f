"""Inference past Django's own handler: the same gate, the same headers, and no signal or thread for each request."""

from __future__ import annotations

import socket
import time

import httpx
import pytest
from django.core.signals import request_started

from serving_app.models import UsageEvent

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
    listed = httpx.get(f"{studio}/v1/models", headers=program)
    body = {"model": base_model.name, "messages": HELLO, "max_tokens": 2}
    asked = httpx.post(f"{studio}/v1/chat/completions", headers=program, json=body)
    refused = httpx.get(f"{studio}/v1/chat/completions", headers=program)
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
    assert httpx.get(f"{studio}/v1/models").status_code == 401
    assert not UsageEvent.objects.exists()
