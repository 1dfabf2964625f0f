"""The engine's token and its address: given as the settings give theirs, and never an open engine for other machines."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving_app.engine.__main__ import main


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Start an engine that cannot; gives its exit code and what it said."""

    def call(*arguments: str, **environment: str) -> tuple[int, str]:
        for name in ("ENGINE_TOKEN", "ENGINE_TOKEN_FILE"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = main(["--model-root", str(tmp_path), "--journal", str(tmp_path / "journal"), *arguments])
        return code, capsys.readouterr().err

    return call


def test_a_token_from_a_file_is_asked_for(engine_server: Any) -> None:
    address = engine_server.url + "/v1/models"
    assert httpx.get(address, timeout=60).status_code == 401
    assert httpx.get(address, headers={"authorization": "Bearer wrong"}, timeout=60).status_code == 401
    assert httpx.get(address, headers={"authorization": f"Bearer {engine_server.token}"}, timeout=60).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_without_a_token_other_machines_cannot_be_served(start: Any, host: str) -> None:
    code, said = start("--host", host, "--port", "0")
    assert code == 1
    assert f"{host} can be reached by other machines. Set ENGINE_TOKEN" in said


def test_a_token_file_that_cannot_be_read_is_named(start: Any, tmp_path: Path) -> None:
    code, said = start(ENGINE_TOKEN_FILE=str(tmp_path / "none"))
    assert code == 1 and "ENGINE_TOKEN_FILE names" in said and "No such file" in said


def test_an_empty_token_file_opens_nothing(start: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    code, said = start(ENGINE_TOKEN_FILE=str(tmp_path / "token"))
    assert code == 1 and "which is empty" in said


def test_a_taken_port_and_an_unknown_host_are_named(start: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, said = start("--port", port)
    assert code == 1 and f"cannot listen on 127.0.0.1:{port}" in said
    code, said = start("--host", "no-such-host.invalid", "--port", "0")
    assert code == 1 and "cannot listen on no-such-host.invalid" in said
