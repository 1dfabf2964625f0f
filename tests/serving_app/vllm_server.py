"""A server that speaks as vLLM does on the wire: its fields, its plain-text answers, its list of models, no journal.

vLLM itself needs a GPU. What is said here follows its `entrypoints/openai`; a stream says some pieces, then waits until
a test lets it go on.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PROMPT = 7


class Vllm(ThreadingHTTPServer):
    """What it was asked, and what it holds. `first`: pieces before it waits for `go`; `last`: pieces after that."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *, name: str, owned_by: str = "vllm") -> None:
        super().__init__(("127.0.0.1", 0), Wire)
        self.name, self.owned_by = name, owned_by
        self.first, self.last, self.a_piece = 5, 3, 1
        self.breaks, self.loads = False, 0
        self.context: int | None = None
        self.lasts: threading.Event | None = None  # a load waits for it
        self.go = threading.Event()
        self.said = threading.Event()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.adapters: dict[str, dict[str, Any]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Wire(BaseHTTPRequestHandler):
    """One connection."""

    server: Vllm

    def log_message(self, *_args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(200, b"")
        elif self.path == "/v1/models":
            names = [self.server.name, *self.server.adapters]
            told = {"owned_by": self.server.owned_by, "max_model_len": self.server.context}
            self._json(200, {"data": [{"id": name, **told} for name in names]})
        else:
            self._json(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/v1/load_lora_adapter":
            self.server.loads += 1
            if self.server.breaks:
                self.close_connection = True
                return
            if self.server.lasts is not None:
                self.server.lasts.wait(120)
            self.server.adapters[body["lora_name"]] = body
            self._answer(200, b"Success: LoRA adapter added successfully.")
        elif self.path == "/v1/unload_lora_adapter":
            found = self.server.adapters.pop(body["lora_name"], None)
            self._answer(200 if found else 404, b"Success: LoRA adapter removed successfully.")
        elif self.path == "/v1/chat/completions":
            self.server.bodies.append(body)
            self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
            self._stream(body) if body.get("stream") else self._whole(body)
        else:
            self._json(404, {"detail": "Not Found"})

    def _usage(self, pieces: int) -> dict[str, Any]:
        written = pieces * self.server.a_piece
        return {"prompt_tokens": PROMPT, "total_tokens": PROMPT + written, "completion_tokens": written}

    def _final(self) -> dict[str, Any]:
        usage = self._usage(self.server.first + self.server.last)
        return {**usage, "prompt_tokens_details": {"cached_tokens": 4}}

    def _whole(self, body: dict[str, Any]) -> None:
        self.server.said.set()
        if body.get("max_tokens") == 1:
            self.server.go.wait(120)
        message = {"role": "assistant", "content": "word " * 8}
        choices = [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}]
        head = {"id": "chatcmpl-theirs", "object": "chat.completion", "created": 1, "model": body["model"]}
        self._json(200, {**head, "choices": choices, "usage": self._final()})

    def _stream(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("connection", "close")
        self.end_headers()
        counts = bool((body.get("stream_options") or {}).get("continuous_usage_stats"))
        head = {"id": "chatcmpl-theirs", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}

        def say(delta: dict[str, Any], written: int, reason: str | None = None) -> None:
            choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]
            usage = {"usage": self._usage(written)} if counts else {}
            self._event({**head, "choices": choices, **usage})

        try:
            say({"role": "assistant", "content": ""}, 0)
            for at in range(self.server.first):
                say({"content": f"word{at} "}, at + 1)
            self.server.said.set()
            self.server.go.wait(120)
            if self.server.breaks:
                self.connection.close()
                return
            for at in range(self.server.first, self.server.first + self.server.last):
                say({"content": f"word{at} "}, at + 1)
            say({}, self.server.first + self.server.last, "stop")
            self._event({**head, "choices": [], "usage": self._final()})
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            pass  # nobody listens any more

    def _event(self, body: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n")
        self.wfile.flush()

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._answer(status, json.dumps(body).encode(), kind="application/json")

    def _answer(self, status: int, body: bytes, *, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
