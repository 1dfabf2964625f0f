"""The studio that a demo talks to: its own, never another clone's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gptstudio.overview.demo import studio
from gptstudio.overview.health import home_id


@pytest.fixture
def neighbour(settings, tmp_path) -> Iterator[dict[str, str]]:
    """Something that answers on the studio's port; the dict is what its /health says."""
    said = {"status": "ok"}

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Health)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    settings.STUDIO_HOME = tmp_path / "clone" / "var"
    settings.PORT = server.server_address[1]
    settings.PUBLIC_URL = f"http://127.0.0.1:{settings.PORT}"
    settings.ENGINE_PORT = studio.free_port()
    yield said
    server.shutdown()
    server.server_close()


def id_of(settings, home: Path) -> str:
    mine, settings.STUDIO_HOME = settings.STUDIO_HOME, home
    found = home_id()
    settings.STUDIO_HOME = mine
    return found


def test_a_studio_of_another_home_with_the_same_name_is_left_alone(neighbour, settings, tmp_path) -> None:
    neighbour["home"] = id_of(settings, tmp_path / "other" / "var")
    taken = settings.PORT
    studio.choose_ports()
    assert taken != settings.PORT
    assert settings.PUBLIC_URL.endswith(f":{settings.PORT}")


def test_a_studio_on_our_own_home_is_used(neighbour, settings) -> None:
    neighbour["home"] = home_id()
    taken = settings.PORT
    studio.choose_ports()
    assert taken == settings.PORT


def test_what_tells_homes_apart_does_not_tell_where_they_are(settings) -> None:
    assert len(home_id()) == 16
    assert Path(settings.STUDIO_HOME).name not in home_id()
