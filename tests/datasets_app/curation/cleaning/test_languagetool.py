"""LanguageTool over HTTP, against a small server that speaks its API."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from datasets_app.curation.cleaning.languagetool import LanguageTool
from datasets_app.curation.errors import Refusal

SLIPS = {"he go": ("he goes", "GRAMMAR"), "colour": ("color", "TYPOS"), "nothing": (None, "GRAMMAR")}


class StandIn(BaseHTTPRequestHandler):
    """`POST /v2/check`: a match for each slip it knows, with offsets in UTF-16 units as the real one gives them."""

    protocol_version = "HTTP/1.1"

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


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    server.asked, server.answer = [], None
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_matches_of_the_chosen_categories_are_applied(server):
    tool = LanguageTool(server.url, categories=["GRAMMAR"], language="en-GB")
    assert tool.correct("😀 he go to the colour shop, nothing more") == (
        "😀 he goes to the colour shop, nothing more",
        1,
    )
    assert tool.correct("all is well") == ("all is well", 0)
    assert [(path, language) for path, language, _ in server.asked] == [("/v2/check", "en-GB")] * 2


def test_code_and_masks_stay(server):
    tool = LanguageTool(server.url + "/v2/", categories=["GRAMMAR", "TYPOS"])
    assert tool.correct("see `he go` and https://a.example/colour now") == (
        "see `he go` and https://a.example/colour now",
        0,
    )


def test_an_empty_text_is_not_sent(server):
    assert LanguageTool(server.url, categories=["GRAMMAR"]).correct("  ") == ("  ", 0)
    assert server.asked == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((500, "Error: too busy"), "answered 500: Error: too busy"),
        ((200, "<html>"), "not of its API"),
        ((200, "[]"), "not of its API"),
    ],
)
def test_a_server_that_answers_otherwise_is_refused_in_words(server, answer, says):
    server.answer = answer
    with pytest.raises(Refusal, match=says):
        LanguageTool(server.url, categories=["GRAMMAR"]).correct("he go")


def test_a_server_that_is_not_there_is_refused_in_words(unused_tcp_port):
    with pytest.raises(Refusal, match=f"at http://127.0.0.1:{unused_tcp_port} does not answer"):
        LanguageTool(f"http://127.0.0.1:{unused_tcp_port}", categories=["GRAMMAR"]).correct("he go")


def test_only_http_addresses_are_taken():
    with pytest.raises(Refusal, match="no http address"):
        LanguageTool("file:///etc/passwd", categories=["GRAMMAR"])
