"""A caller who never ends the head of a request is shown out, and one with an endless head too."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from gptstudio.core import headers
from gptstudio.server import config_of
from tests.serving_app.conftest import free_port


@pytest.fixture
def port(monkeypatch) -> Iterator[int]:
    """The web process's configuration in front of an application that needs no database."""
    monkeypatch.setattr(headers, "HEAD_SECONDS", 1.0)

    async def application(_scope, _receive, send) -> None:
        await asyncio.sleep(1.5)  # longer than a head may take: what is answered is not hurried
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    config = config_of(host="127.0.0.1", port=free_port(), grace=1)
    config.app, config.lifespan, config.log_level = application, "off", "error"
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield config.port
    server.should_exit = True
    thread.join()


def tell(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Say the pieces one after another; everything that comes back until the other side hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as caller:
        heard = b""
        try:
            for piece in pieces:
                caller.sendall(piece)
                time.sleep(pause)
            while piece := caller.recv(65536):
                heard += piece
        except ConnectionError:  # it has hung up
            pass
        return heard


@pytest.mark.parametrize("begun", [(), (b"GET / HTTP/1.1\r\n",), (b"GET / HTTP/1.1\r\n", b"Host: x\r\n", b"X: y\r\n")])
def test_a_head_that_does_not_end_in_time_is_refused(port, begun) -> None:
    assert tell(port, *begun, pause=0.05).startswith(b"HTTP/1.1 408 ")


def test_so_is_one_after_a_request_that_was_answered(port) -> None:
    heard = tell(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HT", pause=1.8)
    assert heard.startswith(b"HTTP/1.1 200 ") and b"HTTP/1.1 408 " in heard


def test_a_head_without_end_is_cut_off(port, monkeypatch) -> None:
    monkeypatch.setattr(headers, "HEAD_SECONDS", 60.0)
    lines = [b"X-More: " + b"y" * 8000 + b"\r\n"] * 8
    assert b"HTTP/1.1 431 " in tell(port, b"GET / HTTP/1.1\r\n", *lines, b"X-Last: " + b"z" * 2000, pause=0.001)


def test_a_head_that_begins_while_an_answer_is_under_way_waits_for_its_end(port) -> None:
    heard = tell(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT")
    assert heard.startswith(b"HTTP/1.1 200 ") and b"HTTP/1.1 408 " in heard


def test_a_body_may_take_longer_than_a_head(port) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
    assert tell(port, head, b"ab", b"cd", pause=1.2).startswith(b"HTTP/1.1 200 ")
