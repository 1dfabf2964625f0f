"""A TCP relay before a server, whose line can be cut and healed: `with Relay(port) as relay:` listens on `relay.port`.

Cut, it takes connections and passes nothing on, either way, as where every packet is lost; healed, what waited goes on.
"""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType

PIECE = 1 << 16


class Relay:
    """Passes on to `target`, a port of this machine."""

    def __init__(self, target: int) -> None:
        self._target, self._loop = target, asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Relay:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(timeout=30)
        return self

    async def _open(self) -> None:
        self._whole = asyncio.Event()
        self._whole.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """From now on nothing comes through."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def heal(self) -> None:
        """All that waited comes through."""
        self._loop.call_soon_threadsafe(self._whole.set)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        try:
            onward = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:  # the server is away: so is this line
            writer.close()
            return
        ways = (self._pass(reader, onward[1]), self._pass(onward[0], writer))
        await asyncio.wait([asyncio.ensure_future(way) for way in ways], return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, onward[1]):
            end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(PIECE):
                await self._whole.wait()
                writer.write(piece)
                await writer.drain()
        except OSError:
            return  # one end is gone; both are closed by the caller

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=30)
