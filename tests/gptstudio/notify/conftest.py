"""A web server that takes webhooks, and a workspace that has them sent there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Hook:
    """What came in; `status` is what it answers."""

    url: str = ""
    status: int = 204
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def hook(settings) -> Iterator[Hook]:
    """A server on this machine, where webhooks may go because the operator says so."""
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    found = Hook()

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append((self.path, dict(self.headers), body))
            self.send_response(found.status)
            if found.status == 302:
                self.send_header("Location", found.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    found.url = f"http://127.0.0.1:{server.server_port}/hook?from=studio"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def destination(workspace, hook):
    from gptstudio.notify import services

    return services.add_destination(workspace_id=workspace.id, kind="webhook", address=hook.url)
