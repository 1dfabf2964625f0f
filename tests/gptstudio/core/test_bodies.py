"""The body gate by itself: what is refused before it is read, what is counted, and where bodies are kept meanwhile."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest
from django.core.exceptions import RequestAborted
from django.http import HttpResponse

from gptstudio.core.bodies import BodyGate, DjangoOnOwnDisk, Overrun


class Rules:
    def __init__(self, stranger: Exception | None = None) -> None:
        self.stranger = stranger

    def most_bytes(self, scope) -> int:
        return 100

    async def turned_away(self, scope) -> Exception | None:
        return self.stranger

    def refusal(self, scope, error) -> HttpResponse:
        return HttpResponse(str(error), status=getattr(error, "status", 401))


class Caller:
    """One request: its headers, the chunks of its body, and what came back."""

    def __init__(self, *chunks: bytes, length: int | None = None, expects: bool = False) -> None:
        self.chunks, self.taken, self.sent = list(chunks), 0, []
        headers = [(b"transfer-encoding", b"chunked")] if length is None else [(b"content-length", b"%d" % length)]
        self.scope = {"type": "http", "headers": headers + [(b"expect", b"100-continue")] * expects}

    async def receive(self) -> dict:
        if self.taken == len(self.chunks):
            return {"type": "http.disconnect"}
        self.taken += 1
        more = self.taken < len(self.chunks)
        return {"type": "http.request", "body": self.chunks[self.taken - 1], "more_body": more}

    async def send(self, message: dict) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def text(self) -> str:
        return b"".join(message["body"] for message in self.sent[1:]).decode()


class Reader:
    """The application behind the gate: reads a body to its end and answers with its length."""

    def __init__(self) -> None:
        self.kept = 0

    async def __call__(self, scope, receive, send) -> None:
        more = scope["headers"] != [(b"content-length", b"0")]
        while more:
            message = await receive()
            self.kept += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % self.kept, "more_body": False})


def through(caller: Caller, rules: Rules | None = None) -> Reader:
    reader = Reader()
    asyncio.run(BodyGate(reader, rules or Rules())(caller.scope, caller.receive, caller.send))
    return reader


def test_a_body_within_the_limit_passes_whole() -> None:
    for length in (100, None):
        caller = Caller(b"a" * 60, b"b" * 40, length=length)
        through(caller)
        assert (caller.status, caller.text) == (200, "100")


def test_a_body_that_announces_too_much_is_refused_unread() -> None:
    caller = Caller(*[b"x" * 1000] * 50, length=10 * 1024**4)
    reader = through(caller)
    assert caller.status == 413 and reader.kept == 0
    assert "larger than" in caller.text and "split the file" in caller.text
    assert dict(caller.sent[0]["headers"])[b"connection"] == b"close"


def test_what_was_on_its_way_is_read_past_so_that_the_answer_arrives() -> None:
    caller = Caller(*[b"x" * 1000] * 50, length=50_000)
    through(caller)
    assert caller.taken == 50


def test_who_asks_before_sending_is_answered_at_once() -> None:
    caller = Caller(b"x" * 1000, length=1000, expects=True)
    through(caller)
    assert caller.status == 413 and caller.taken == 0


def test_a_body_of_no_stated_length_is_counted() -> None:
    caller = Caller(*[b"x" * 30] * 20)
    reader = through(caller)
    assert caller.status == 413 and reader.kept == 90
    assert [message["type"] for message in caller.sent].count("http.response.start") == 1


def test_a_length_that_lies_is_counted_too() -> None:
    caller = Caller(*[b"x" * 30] * 20, length=10)
    reader = through(caller)
    assert caller.status == 413 and reader.kept == 90


def test_a_stranger_is_turned_away_unread_but_may_ask_without_a_body() -> None:
    caller = Caller(b"x", length=1)
    reader = through(caller, Rules(stranger=PermissionError("no key")))
    assert (caller.status, caller.text, reader.kept) == (401, "no key", 0)
    caller = Caller(length=0)
    through(caller, Rules(stranger=PermissionError("no key")))
    assert caller.status == 200


def read(caller: Caller):
    return asyncio.run(DjangoOnOwnDisk().read_body(caller.receive))


def test_bodies_are_spooled_to_the_studios_own_disk(settings, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR, settings.FILE_UPLOAD_MAX_MEMORY_SIZE = str(tmp_path), 10
    with read(Caller(b"one ", b"two ", b"three")) as body:
        assert Path(f"/proc/self/fd/{body.fileno()}").readlink().is_relative_to(tmp_path)
        assert body.read() == b"one two three"


def reading(*outcomes: dict | Exception):
    """Let a body be read of which these are the messages."""
    waiting = list(outcomes)

    async def receive() -> dict:
        following = waiting.pop(0)
        if isinstance(following, Exception):
            raise following
        return following

    return asyncio.run(DjangoOnOwnDisk().read_body(receive))


@pytest.mark.parametrize("end", [{"type": "http.disconnect"}, Overrun()])
def test_a_body_that_breaks_off_leaves_nothing_behind(settings, tmp_path: Path, end) -> None:
    settings.FILE_UPLOAD_TEMP_DIR, settings.FILE_UPLOAD_MAX_MEMORY_SIZE = str(tmp_path), 10
    with pytest.raises((RequestAborted, Overrun)):
        reading({"type": "http.request", "body": b"x" * 50, "more_body": True}, end)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_under_a_body_is_an_answer_with_a_sentence():
    async def on_a_full_disk(_scope, _receive, _send) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    caller = Caller(b"1234", length=4)
    asyncio.run(BodyGate(on_a_full_disk, Rules())(caller.scope, caller.receive, caller.send))
    assert caller.status == 507
    assert "no room" in caller.text
