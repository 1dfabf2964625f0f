"""The gate for request bodies: refuses by length, counts bodies of no stated length, before a byte of them is kept.

Django spools a whole body to disk before any view runs, so what a view would refuse has filled the disk by then. The
gate knows no addresses: its rules say how much an address takes, who may send it something, and how a refusal looks.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any, Protocol, TypeVar

from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse

from gptstudio.core.disk import FULL, no_room
from gptstudio.core.errors import TooLarge, TooSlow

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
View = TypeVar("View", bound=Callable[..., Any])
LINGER_BYTES, LINGER_SECONDS = 64 << 20, 10.0


class Rules(Protocol):
    """What the gate asks about a request, which it knows by its ASGI scope."""

    def most_bytes(self, scope: Scope) -> int:
        """The largest body that the address takes."""

    async def turned_away(self, scope: Scope) -> Exception | None:
        """Why this caller may send nothing here, if so."""

    def refusal(self, scope: Scope, error: Exception) -> HttpResponse:
        """The answer for `error`, in the shape that the address speaks."""


def takes_uploads(view: View) -> View:
    """Mark a view that takes whole files; every other one takes DATA_UPLOAD_MAX_MEMORY_SIZE."""
    view.takes_uploads = True  # type: ignore[attr-defined]
    return view


class Overrun(Exception):
    """A body of no stated length has passed its limit."""


def announced_length(scope: Scope) -> int | None:
    """Bytes that the headers announce; None for a body that comes in chunks."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return None
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else None


class BodyGate:
    """An ASGI application around another."""

    def __init__(self, application: Application, rules: Rules) -> None:
        self._application = application
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        announced = announced_length(scope)
        if announced == 0:
            await self._application(scope, receive, send)
            return
        most = self._rules.most_bytes(scope)
        error: Exception | None = await self._rules.turned_away(scope)
        if error is None and announced is not None and announced > most:
            error = _too_large(most)
        if error is None:
            try:
                await self._application(scope, _counted(receive, most), send)
            except Overrun:  # raised while the body was read, so nothing was answered yet
                error = _too_large(most)
            except TooSlow as late:  # the same
                error = late
            except OSError as broken:  # the same
                if broken.errno not in FULL:
                    raise
                error = no_room("what you sent")
        if error is not None:
            await _send(self._rules.refusal(scope, error), scope, receive, send)


def _too_large(most: int) -> TooLarge:
    return TooLarge(
        f"What you sent is larger than the {most / 1024**2:,.4g} MB that this address takes.",
        fix="Send less at a time, or split the file into several.",
    )


def _counted(receive: Receive, most: int) -> Receive:
    left = most

    async def receive_and_count() -> Mapping[str, Any]:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise Overrun
        return message

    return receive_and_count


async def _send(response: HttpResponse, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer, then read on for a while without keeping anything: many clients look for an answer only once they have
    sent everything, and would see a broken connection instead. Then the connection is closed.
    """
    response.headers["Content-Length"] = str(len(response.content))
    response.headers["Connection"] = "close"
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content, "more_body": True})
    if b"expect" not in dict(scope["headers"]):  # who asks first has sent nothing yet
        await _drain(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Receive) -> None:
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await receive()
                if not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
    except TimeoutError:
        return


async def spooled(receive: Receive, *, begun: bytes = b"") -> IO[bytes]:
    """The body as a file at its start, on disk once it is large; `begun` is what has come of it. The caller closes it.

    Raises RequestAborted when the sender has gone, and what `receive` raises.
    """
    body = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - see above
        max_size=settings.FILE_UPLOAD_MAX_MEMORY_SIZE, mode="w+b", dir=settings.FILE_UPLOAD_TEMP_DIR
    )
    try:
        body.write(begun)
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            body.write(message.get("body", b""))
            if not message.get("more_body", False):
                break
    except BaseException:
        body.close()
        raise
    body.seek(0)
    return body


class DjangoOnOwnDisk(ASGIHandler):
    """Django, which spools bodies to UPLOAD_TEMP and not to the system's temporary folder."""

    async def read_body(self, receive: Receive) -> IO[bytes]:
        """The body as a file at its start; Django closes it. Raises what `spooled` raises."""
        return await spooled(receive)
