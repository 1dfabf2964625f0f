"""A small server that speaks LanguageTool's HTTP API, for tests."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

SLIPS = {"he go": ("he goes", "GRAMMAR"), "colour": ("color", "TYPOS"), "nothing": (None, "GRAMMAR")}


class StandIn(BaseHTTPRequestHandler):
    """`POST /v2/check`: a match for each slip it knows, with offsets in UTF-16 units as the real one gives them."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet

    def do_POST(self):
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        text = asked["text"][0]
        self.server.asked.append((self.path, asked["language"][0], text))
        status, body = self.server.answer or (200, json.dumps({"matches": list(self._matches(text))}))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def _matches(self, text):
        for slip, (new, category) in SLIPS.items():
            at = text.find(slip)
            if at >= 0:
                yield {
                    "offset": len(text[:at].encode("utf-16-le")) // 2,
                    "length": len(slip),
                    "replacements": [{"value": new}, {"value": "another"}] if new else [],
                    "rule": {"id": "R", "category": {"id": category, "name": category.title()}},
                }

    def log_message(self, *_args):
        pass


@contextmanager
def serving():
    """A server on a free port: `url`, what was `asked`, and an `answer` (status, body) to give instead."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    server.asked, server.answer = [], None
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
