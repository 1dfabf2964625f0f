"""A try is over in its time and reads little, whatever the server at the other end does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from gptstudio.notify import services, webhooks
from gptstudio.notify.models import Delivery


@pytest.fixture
def server(settings) -> Iterator[Callable[[Iterator[bytes]], str]]:
    """Starts a server that takes a request and sends the pieces given; its address."""
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def serve(pieces: Iterator[bytes]) -> None:
        taken, _ = listener.accept()
        with taken:
            try:
                hear(taken)
                for piece in pieces:
                    taken.sendall(piece)
            except OSError:
                return  # the studio hung up

    def start(pieces: Iterator[bytes]) -> str:
        threads.append(threading.Thread(target=serve, args=(pieces,)))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/hook"

    yield start
    for thread in threads:
        thread.join(timeout=60)
    listener.close()


def hear(taken: socket.socket) -> None:
    """Reads a request to the end of its body: a socket shut before that resets what was sent back."""
    with taken.makefile("rb") as request:
        length = 0
        for line in iter(request.readline, b"\r\n"):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        request.read(length)


def slowly(text: bytes, pause: float) -> Iterator[bytes]:
    for place in range(len(text)):
        time.sleep(pause)
        yield text[place : place + 1]


def answer_of(workspace, url: str) -> str:
    services.add_destination(workspace_id=workspace.id, kind="webhook", address=url)
    services.tell(workspace_id=workspace.id, event="alert.began", title="Requests fail", data={})
    assert services.send_due() == 1
    return Delivery.objects.get().answer


def test_a_server_that_sends_byte_by_byte_is_left_when_the_time_is_over(workspace, server, monkeypatch) -> None:
    monkeypatch.setattr(webhooks, "SECONDS", 0.6)
    url = server(slowly(b"HTTP/1.1 200 OK\r\n\r\n", 0.15))  # each byte in time, all of them not
    assert answer_of(workspace, url) == "No answer (TimeoutError)."


def test_a_server_that_never_answers_is_left_when_the_time_is_over(workspace, server, monkeypatch) -> None:
    monkeypatch.setattr(webhooks, "SECONDS", 0.3)
    assert answer_of(workspace, server(slowly(b"HH", 1))) == "No answer (TimeoutError)."


def test_a_server_that_says_much_before_it_answers_is_not_heard_out(workspace, server) -> None:
    pieces = [b"HTTP/1.1 100 Continue\r\n\r\n" * 100] * 100 + [b"HTTP/1.1 200 OK\r\n\r\n"]
    assert answer_of(workspace, server(iter(pieces))) == "No answer (HTTPException)."


def test_an_answer_with_a_long_body_counts_by_its_status(workspace, server) -> None:
    pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", b"x" * 900_000]
    assert answer_of(workspace, server(iter(pieces))) == "Answered 200."


def test_a_claim_outlasts_a_try() -> None:
    assert services.LEASE.total_seconds() > 60 + webhooks.SECONDS, "a resolver gives up within a minute"
