"""The web process's last act: texts that wait to be kept are written, connections to engines and to the moderation server
are closed. What was open in engines is the reaper's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from serving_app import engine_client, moderation_client
from serving_app.services.trips import answers_are_kept

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def lifespan(receive: Receive, send: Send) -> None:
    """ASGI's lifespan protocol."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await answers_are_kept()
            await engine_client.close()
            await moderation_client.close()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
