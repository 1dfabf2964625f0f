"""The door to a moderation server that speaks OpenAI's format. It knows a URL and a token, and keeps nothing of the texts.

Its session is its own: engines' token goes nowhere else. One for each event loop, made when first needed.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
from django.conf import settings

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 20.0
MOST_BYTES = 4 * 1024 * 1024
KEPT_ALIVE_SECONDS = 4.0
_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


class ModerationAway(Exception):
    """No answer, a late one, or one that is none."""


class ModerationRefused(Exception):
    """An error of the server's own, with its sentence if it gave one."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _session() -> aiohttp.ClientSession:
    loop = asyncio.get_running_loop()
    found = _sessions.get(loop)
    if found is None or found.closed:
        found = aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=KEPT_ALIVE_SECONDS))
        _sessions[loop] = found
    return found


async def close() -> None:
    """Close the running loop's session, at shutdown."""
    found = _sessions.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.close()


async def judge(texts: list[str], *, model: str) -> list[Any]:
    """The server's results, one for each text, as they came. Raises ModerationAway, ModerationRefused."""
    url = f"{settings.MODERATION_URL}/v1/moderations"
    headers = {"Authorization": f"Bearer {settings.MODERATION_TOKEN}"} if settings.MODERATION_TOKEN else {}
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS)
    body = {"model": model, "input": texts}
    try:
        async with _session().post(url, json=body, headers=headers, timeout=timeout, allow_redirects=False) as response:
            status, raw = response.status, await response.content.read(MOST_BYTES)
            while len(raw) < MOST_BYTES and (more := await response.content.read(MOST_BYTES - len(raw))):
                raw += more
    except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        raise ModerationAway("It did not answer.") from error
    return _results(status, raw, texts=len(texts))


def _results(status: int, raw: bytes, *, texts: int) -> list[Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    inside = found if isinstance(found, dict) else {}
    if status >= 300:
        error = inside.get("error")
        raise ModerationRefused(status, str(error.get("message") or "") if isinstance(error, dict) else "")
    results = inside.get("results")
    if not isinstance(results, list) or len(results) != texts:
        raise ModerationAway("It answered something else than a result for each text.")
    return results
