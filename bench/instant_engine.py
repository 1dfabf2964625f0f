"""An engine that answers at once: what a gateway costs is all that is left to measure. Nothing is imported but Python.

`python bench/instant_engine.py --port N`. It speaks as much of the engines' protocol as the reconciler and the gateway
ask for: models are "loaded" by name, an answer is always the same PIECES pieces, whole or streamed in one write, and
there is no journal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

PIECES = 16
USAGE = {"prompt_tokens": 9, "completion_tokens": PIECES, "total_tokens": 9 + PIECES}
HEAD = {"id": "chatcmpl-instant", "created": 1_700_000_000}


def _chunk(name: str, delta: dict[str, Any], *, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    body = {**HEAD, "object": "chat.completion.chunk", "model": name, "system_fingerprint": None, "choices": [choice]}
    return b"data: " + json.dumps({**body, "usage": None}, separators=(",", ":")).encode() + b"\n\n"


def streamed(name: str) -> bytes:
    """All events of an answer."""
    first = _chunk(name, {"role": "assistant", "content": "", "refusal": None})
    pieces = b"".join(_chunk(name, {"content": f" word{number}"}) for number in range(PIECES))
    last = {**HEAD, "object": "chat.completion.chunk", "model": name, "choices": [], "usage": USAGE}
    closing = b"data: " + json.dumps(last, separators=(",", ":")).encode() + b"\n\ndata: [DONE]\n\n"
    return first + pieces + _chunk(name, {}, reason="length") + closing


def whole(name: str) -> bytes:
    """The same answer in one body."""
    text = "".join(f" word{number}" for number in range(PIECES))
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "length"}
    return json.dumps(
        {**HEAD, "object": "chat.completion", "model": name, "choices": [choice], "usage": USAGE}
    ).encode()


class Connection(asyncio.Protocol):
    """One connection: requests one after another, each answered in one write."""

    loaded: set[str] = {"instant"}
    kept: dict[tuple[str, bool], bytes] = {}

    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while True:
            head, mark, rest = self._data.partition(b"\r\n\r\n")
            if not mark:
                return
            lines = head.decode("latin-1").lower().split("\r\n")
            length = next((int(line[15:]) for line in lines if line.startswith("content-length:")), 0)
            if len(rest) < length:
                return
            path, self._data = head.split(b" ", 2)[1].decode(), rest[length:]
            self._transport.write(self._answer(path, rest[:length]))

    def _answer(self, path: str, raw: bytes) -> bytes:
        body = json.loads(raw) if raw else {}
        if path.endswith("/completions"):
            asked = str(body["model"]), body.get("stream") is True
            if asked not in self.kept:
                text = streamed(asked[0]) if asked[1] else whole(asked[0])
                self.kept[asked] = _response(text, kind="text/event-stream" if asked[1] else "application/json")
            return self.kept[asked]
        if path == "/v1/models":
            return _response(json.dumps({"object": "list", "data": [{"id": name} for name in self.loaded]}).encode())
        if path == "/v1/load_model":
            self.loaded.add(body["name"])
        is_known = path in ("/health", "/v1/load_model")
        return _response(b"{}", status="200 OK" if is_known else "404 Not Found")


def _response(body: bytes, *, status: str = "200 OK", kind: str = "application/json") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=1000)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(_serve(parser.parse_args().port))
