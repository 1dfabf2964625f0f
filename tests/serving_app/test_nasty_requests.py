"""Requests that nobody in their right mind sends: a clear 4xx in the envelope, and nothing is held or lost after."""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.utils import timezone

from gptstudio.accounts.models import ApiKey
from serving_app import selectors
from serving_app.models import Completion, CompletionState
from tests.openai_types import check_answer
from tests.serving_app.conftest import until

HELLO = [{"role": "user", "content": "Hello"}]
BODIES: dict[str, dict[str, Any]] = {
    "chat/completions": {"messages": HELLO, "max_tokens": 1},
    "completions": {"prompt": "Hello", "max_tokens": 1},
}
WRONG: list[Any] = [True, -(10**30), "\x00", [None], {"x": []}]
SHARED = "model n stop seed max_tokens temperature top_p presence_penalty frequency_penalty logit_bias logprobs stream "
FIELDS = {
    "chat/completions": SHARED
    + "messages max_completion_tokens top_logprobs stream_options response_format tools tool_choice functions metadata "
    "parallel_tool_calls modalities audio prediction store service_tier user safety_identifier top_k nonsense",
    "completions": SHARED + "prompt echo best_of suffix stream_options user messages nonsense",
}
MESSAGES: list[Any] = [
    {"role": "user", "content": None},
    {"role": "user", "content": [{"type": "text", "text": 1}]},
    {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]},
    {"role": ["user"], "content": "x"},
    {"role": "user", "content": "x", "nonsense": 1},
    {"content": "x"},
    {},
    [],
    None,
]
NO_UTF_8 = [b'{"model": "\xff\xfe"}', b"\x00" * 64, '{"model": "x"}'.encode("utf-16"), b'{"model": "\\ud800"}', b"NaN"]
DEEP = b'{"metadata": ' + b"[" * 150 + b"]" * 150 + b"}"


@pytest.fixture
def ask(studio, make_key, base_model):
    headers = {"Authorization": f"Bearer {make_key('chat')}", "Content-Type": "application/json"}
    with httpx.Client(base_url=f"{studio}/v1/", headers=headers, timeout=120) as client:

        def send(path: str, body: Any, **headers: str) -> httpx.Response:
            content = body if isinstance(body, bytes) else json.dumps({"model": base_model.name, **body}).encode()
            return client.post(path, content=content, headers=headers)

        yield send


@pytest.fixture
def nothing_held(workspace):
    """At the end no request is open and no money is held."""
    yield
    assert not Completion.objects.filter(state=CompletionState.RUNNING).exists()
    assert selectors.balance_of(workspace.id).reserved_micro == 0


def refusal(response: httpx.Response, *statuses: int) -> dict[str, Any]:
    assert response.status_code in statuses, response.text[:500]
    check_answer(response)
    error: dict[str, Any] = response.json()["error"]
    return error


@pytest.mark.parametrize("path", BODIES)
def test_wrong_types_in_every_field(ask, nothing_held, path):
    for field in FIELDS[path].split():
        refused = 0
        for value in WRONG:
            response = ask(path, {**BODIES[path], field: value})
            if response.status_code == 200:  # some of them are fine in some fields
                continue
            error = refusal(response, 400, 404) if field == "model" else refusal(response, 400)
            assert (error["param"] or "").startswith(field), (field, value, error)
            refused += 1
        assert refused >= 3, field


def test_messages_of_every_wrong_kind(ask, nothing_held):
    for message in MESSAGES:
        error = refusal(ask("chat/completions", {"messages": [*HELLO, message]}), 400)
        assert error["param"].startswith("messages[1]"), error


def test_bodies_that_are_no_utf_8_json(ask, nothing_held):
    for body in [*NO_UTF_8, DEEP]:
        assert refusal(ask("chat/completions", body), 400)["code"] == "invalid_body"


def test_prompts_that_are_too_long(ask, nothing_held):
    long = [{"role": "user", "content": "x" * 10_000}]
    assert refusal(ask("chat/completions", {"messages": long}), 400)["code"] == "context_length_exceeded"
    for megabytes in (10, 13):
        huge = [{"role": "user", "content": "x" * megabytes * 2**20}]
        refusal(ask("chat/completions", {"messages": huge}), 413)
    assert refusal(ask("completions", {"prompt": [65] * 10_000}), 400)["code"] == "context_length_exceeded"
    assert refusal(ask("chat/completions", {"messages": HELLO, "n": 128}), 400)["param"] == "n"
    assert refusal(ask("chat/completions", {"messages": HELLO, "temperature": -1}), 400)["param"] == "temperature"
    states = set(Completion.objects.values_list("state", flat=True))
    assert states == {"refused"}, "the caller's own mistakes are no failures"


def test_an_expired_key_opens_nothing(ask, nothing_held):
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refusal(ask("chat/completions", BODIES["chat/completions"]), 401)["code"] == "invalid_api_key"


@pytest.fixture
def rude(studio, make_key, base_model):
    """Send raw bytes: `rude(body, cut=…)` opens a socket and sends a request, or only its first bytes."""
    address = urlsplit(studio)
    sockets: list[socket.socket] = []
    secret = make_key("chat")

    def send(body: dict[str, Any], *, cut: int | None = None) -> socket.socket:
        content = json.dumps({"model": base_model.name, **body}).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {secret}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        found = socket.socket()
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        found.settimeout(120)
        found.connect((address.hostname, address.port))
        found.sendall((head.encode() + content)[:cut])
        sockets.append(found)
        return found

    yield send
    for each in sockets:
        each.close()


def test_others_are_answered_beside_clients_that_never_finish_their_request(rude, ask, nothing_held):
    for cut in (5, 60, -1):
        for _ in range(50):
            rude(BODIES["chat/completions"], cut=cut)
    assert ask("completions", BODIES["completions"]).status_code == 200


@pytest.mark.parametrize("leave", ["stops reading", "closes its half", "is gone"])
def test_a_client_that_is_not_there_for_its_answer_costs_what_was_written(
    rude, ask, nothing_held, reconciler, workspace, leave
):
    endless = {"messages": HELLO, "max_tokens": 4000, "logit_bias": {"256": -100}, "stream": True}
    client = rude(endless)
    heard = client.recv(20)
    assert heard.startswith(b"HTTP/1.1 200")
    while heard.count(b'"delta"') < 3:  # the opening chunk costs nothing
        heard += client.recv(200)
    if leave == "closes its half":
        client.shutdown(socket.SHUT_WR)
    if leave == "is gone":
        client.close()
    assert ask("completions", BODIES["completions"]).status_code == 200
    client.close()

    def settled() -> bool:
        reconciler.run_pass()
        return not Completion.objects.filter(state=CompletionState.RUNNING).exists()

    until(settled)
    found = Completion.objects.get(streamed=True)
    bill = selectors.usage_of(workspace.id, found.id)
    assert bill.settled and 0 < bill.completion_tokens <= 4000
