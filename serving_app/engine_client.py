"""The door to engines: one HTTP client for ours, vLLM and every other server that speaks OpenAI's format.

It knows URLs and bodies; it refuses to know models, keys, money and the database. One pooled session for each event
loop, made when first needed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
from django.conf import settings

CONNECT_SECONDS = 5.0
CALL_SECONDS = 10.0
LOAD_SECONDS = 300.0
# A whole answer sends nothing until it is complete.
ANSWER = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=600.0)
# Shorter than servers' own (uvicorn's is 5), so that no request goes out on a connection that is just being closed.
KEPT_ALIVE_SECONDS = 4.0
_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


class EngineAway(Exception):
    """No connection was made: the request never reached the engine."""


class EngineBroke(Exception):
    """The connection ended in the middle: nobody here knows how far the engine came."""


class EngineRefused(Exception):
    """The engine answered with an error. `error` is the inside of OpenAI's envelope."""

    def __init__(self, status: int, error: dict[str, Any], *, retry_after: str | None = None) -> None:
        super().__init__(str(error.get("message") or f"The engine answered {status}."))
        self.status = status
        self.error = error
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Served:
    """The names that an engine answers for, and whether vLLM says so: it takes fields that others may refuse. `contexts`:
    the most tokens that each reads, of those that say.
    """

    names: tuple[str, ...]
    is_vllm: bool
    contexts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """What one attempt has cost so far; `finish_reason` is None while it runs."""

    seq: int
    attempt_id: str
    model: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    finish_reason: str | None
    at: str

    @property
    def mark(self) -> str:
        """Tells this row from a row with the same number in another journal."""
        return f"{self.attempt_id} {self.at}"


def session() -> aiohttp.ClientSession:
    """The running loop's session."""
    loop = asyncio.get_running_loop()
    found = _sessions.get(loop)
    if found is None or found.closed:
        found = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_ALIVE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Authorization": f"Bearer {settings.ENGINE_TOKEN}"},
        )
        _sessions[loop] = found
    return found


async def close() -> None:
    """Close the running loop's session, at shutdown."""
    found = _sessions.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.close()


def _timeout(*, quiet: float, total: float | None = None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_SECONDS, sock_read=quiet)


async def _refusal(response: aiohttp.ClientResponse) -> EngineRefused:
    try:
        body = json.loads(await response.read())
    except ValueError:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    return EngineRefused(
        response.status, error if isinstance(error, dict) else {}, retry_after=response.headers.get("retry-after")
    )


@asynccontextmanager
async def _calling(
    method: str, url: str, *, timeout: aiohttp.ClientTimeout, **options: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    """One request; leaving early closes the connection, which tells the engine to stop. Errors: the three above."""
    try:
        async with session().request(method, url, timeout=timeout, **options) as response:
            if response.status >= 400:
                raise await _refusal(response)
            yield response
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise EngineAway(f"{url} cannot be reached.") from error
    except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        raise EngineBroke(f"{url} ended the connection.") from error


async def _json(method: str, url: str, *, seconds: float = CALL_SECONDS, **options: Any) -> Any:
    async with _calling(method, url, timeout=_timeout(quiet=seconds, total=seconds), **options) as response:
        try:
            return json.loads(await response.read())
        except ValueError as error:
            raise EngineBroke(f"{url} answered something else than JSON.") from error


async def _told(url: str, body: dict[str, Any], *, seconds: float = CALL_SECONDS) -> None:
    """Have an engine do something. What it answers is not read: vLLM says it in plain text."""
    async with _calling("POST", url, timeout=_timeout(quiet=seconds, total=seconds), json=body):
        pass


async def look(url: str) -> tuple[bool, Served]:
    """Whether the engine takes requests, and what it answers for. Raises EngineAway, EngineBroke, EngineRefused where it
    says nothing, or not in time.
    """
    try:
        async with _calling("GET", f"{url}/health", timeout=_timeout(quiet=CALL_SECONDS, total=CALL_SECONDS)):
            is_ready = True
    except EngineRefused:
        is_ready = False
    return is_ready, await models(url)


async def models(url: str) -> Served:
    """What the engine answers for."""
    body = await _json("GET", f"{url}/v1/models")
    listed = [each for each in body.get("data", []) if isinstance(each, dict) and "id" in each]
    names = tuple(str(each["id"]) for each in listed)
    contexts = {str(each["id"]): each["max_model_len"] for each in listed if isinstance(each.get("max_model_len"), int)}
    return Served(names, any(each.get("owned_by") == "vllm" for each in listed), contexts)


async def load_model(url: str, *, name: str, path: str, digest: str) -> None:
    """Load a full model; loading it again changes nothing."""
    body = {"name": name, "path": path, "digest": digest}
    await _told(f"{url}/v1/load_model", body, seconds=LOAD_SECONDS)


async def load_adapter(url: str, *, name: str, path: str, base: str) -> None:
    """Load a LoRA adapter onto a base model that the engine holds."""
    body = {"lora_name": name, "lora_path": path, "base_model_name": base}
    await _told(f"{url}/v1/load_lora_adapter", body, seconds=LOAD_SECONDS)


async def unload(url: str, *, name: str, is_adapter: bool) -> None:
    """Take a name away; what is being written is finished. A name that is gone already is fine."""
    path, field = ("unload_lora_adapter", "lora_name") if is_adapter else ("unload_model", "name")
    try:
        await _told(f"{url}/v1/{path}", {field: name})
    except EngineRefused as error:
        if error.status != 404:
            raise


async def metrics(url: str) -> str:
    """The engine's own metrics as Prometheus text."""
    async with _calling("GET", f"{url}/metrics", timeout=_timeout(quiet=CALL_SECONDS, total=CALL_SECONDS)) as response:
        return (await response.read()).decode(errors="replace")


async def usage(url: str, *, after: int) -> list[JournalRow] | None:
    """Journal rows that follow `after`, oldest first, at most 1,000; None when this server keeps no journal."""
    try:
        body = await _json("GET", f"{url}/usage", params={"after": str(after)})
        return [JournalRow(**row) for row in body["data"]]
    except EngineRefused as error:
        if error.status == 404:
            return None
        raise
    except (TypeError, KeyError) as error:
        raise EngineBroke(f"{url}/usage answered in an unknown shape.") from error


def asking(
    url: str, path: str, *, body: dict[str, Any], attempt_id: str, scope: str
) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
    """Ask for an answer, whole or streamed as the body says. `scope`: whose computed prefixes it may take over."""
    headers = {"X-Request-Id": attempt_id, "X-Cache-Scope": scope, "Content-Type": "application/json"}
    return _calling("POST", url + path, timeout=ANSWER, data=json.dumps(body).encode(), headers=headers)
