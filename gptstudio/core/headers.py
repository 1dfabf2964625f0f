"""How long, and how large, the head of a request may be. uvicorn waits for ever and takes any length, so that anybody who
can reach the port could hold connections and memory without a key.
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0
MOST_HEAD_BYTES = 64 << 10


class BoundedHeads(HttpToolsProtocol):
    """uvicorn's protocol, which hangs up on heads that do not end. The time counts from the connection, later from a
    request's first byte.
    """

    _waiting: TimerHandle | None = None
    _taken = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begin_head()

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._waiting is None:
            return
        self._taken += len(data)
        if self._taken > MOST_HEAD_BYTES:
            self._hang_up(b"431 Request Header Fields Too Large")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def _begin_head(self) -> None:
        self._end_head()
        self._waiting = self.loop.call_later(HEAD_SECONDS, self._late)

    def _late(self) -> None:
        """The head has not ended in time. What is being answered before it is answered to its end."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._begin_head()
        else:
            self._hang_up(b"408 Request Timeout")

    def _end_head(self) -> None:
        self._taken = 0
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _hang_up(self, status: bytes) -> None:
        self._end_head()
        if self.transport.is_closing():
            return
        self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
