"""A real engine process on a tiny random model, the real ASGI application over HTTP, and the official client."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
import uvicorn

from tests.byte_llama import END, byte_llama
from tests.calling_model import write_calling_model
from tests.openai_types import check_answer

TOKEN = "engine-secret"
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
MOST_TOKENS = 32 * 2 * 4000
# Minutes of work even for a tiny model: what must happen before its end does, however slow the test is.
ENDLESS: dict[str, Any] = {"prompt": ["Go on"] * 32, "n": 2, "max_tokens": 4000, "logit_bias": {"256": -100}}


def write_tiny_model(folder: Path, *, seed: int, positions: int = 4096) -> Path:
    """A Llama of a few thousand weights with a byte tokenizer; its end token is never likely, so answers fill them."""
    import torch

    model, tokenizer = byte_llama(TEMPLATE, hidden=32, intermediate=48, seed=seed, positions=positions)
    with torch.no_grad():  # logits far apart, and the end token's always 0: it is drawn once in a million answers
        model.lm_head.weight.mul_(50)
        model.lm_head.weight[END] = 0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class EngineProcess:
    """A running engine."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        argv = [sys.executable, "-m", "serving_app.engine", "--port", str(self.port), "--threads", "1"]
        argv += ["--model-root", str(self.home / "artifacts"), "--journal", str(self.home / "journal")]
        argv += ["--max-context", "4096"]
        env = {**os.environ, "ENGINE_TOKEN": TOKEN, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        self.process = subprocess.Popen(argv, env=env, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "the engine has ended"
            try:
                with urllib.request.urlopen(self.url + "/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the engine did not become ready")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @contextmanager
    def held(self) -> Iterator[None]:
        """It writes nothing meanwhile, so no answer ends."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=120)


def until(condition: Callable[[], Any]) -> Any:
    """What `condition` gives once that is something."""
    deadline = time.monotonic() + 120
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found


def begin(studio: str, path: str = "chat/completions", *, key: str = "x", length: int) -> socket.socket:
    """A caller who has announced a body and sends it bit by bit."""
    host, port = studio.removeprefix("http://").split(":")
    head = f"POST /v1/{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
    caller = socket.create_connection((host, int(port)), timeout=60)
    caller.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode())
    return caller


@contextmanager
def asking(studio: str, path: str = "chat/completions", *, key: str, **body: Any) -> Iterator[None]:
    """Ask, and leave without an answer."""
    content = json.dumps(body).encode()
    with begin(studio, path, key=key, length=len(content)) as caller:
        caller.sendall(content)
        yield


def make_home(folder: Path) -> Path:
    (folder / "artifacts").mkdir(parents=True)
    return folder


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("tiny") / "model", seed=0)


@pytest.fixture(scope="session")
def tuned_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("tuned") / "model", seed=1)


@pytest.fixture(scope="session")
def calling_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_calling_model(tmp_path_factory.mktemp("calling") / "model")


@pytest.fixture(scope="session")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """One engine for all tests that do not break it."""
    engine = EngineProcess(make_home(tmp_path_factory.mktemp("home") / "studio"), free_port())
    engine.start()
    yield engine
    engine.stop()


def point_at(settings, engine: EngineProcess, tiny_folder: Path) -> None:
    settings.STUDIO_HOME = engine.home
    settings.BROKER_FOLDER = engine.home / "broker"
    settings.STARTER_FOLDER = tiny_folder
    settings.ENGINE_TOKEN = TOKEN
    settings.ENGINE_URLS = {"embedded": engine.url}


@pytest.fixture
def engine(settings, shared_engine: EngineProcess, tiny_folder: Path) -> EngineProcess:
    """The shared engine, with the settings pointing at it and its home."""
    point_at(settings, shared_engine, tiny_folder)
    return shared_engine


@pytest.fixture
def own_engine(settings, tmp_path: Path, tiny_folder: Path) -> Iterator[EngineProcess]:
    """An engine that a test may kill and start again."""
    engine = EngineProcess(make_home(tmp_path / "studio"), free_port())
    engine.start()
    point_at(settings, engine, tiny_folder)
    yield engine
    engine.stop()


@pytest.fixture
def reconciler(transactional_db, monkeypatch) -> Iterator[object]:
    """The reconciler, one pass at a time; work that it would send to the queue stays unsent. A pass waits for the engines."""
    from serving_app.services import Reconciler, loading, reconciling

    monkeypatch.setattr(reconciling, "LOOK_SECONDS", 120.0)
    monkeypatch.setattr(loading, "PATIENCE_SECONDS", 120.0)
    found = Reconciler(threading.Event())
    yield found
    found.close()


@pytest.fixture
def base_model(transactional_db, reconciler, engine):
    """The tiny model, registered as the starter and loaded."""
    from training_app.services import ensure_starter

    model = ensure_starter()
    reconciler.run_pass()
    return model


class StudioServer(uvicorn.Server):
    """Uvicorn that ends without its pauses, which are a fifth of a second for each test."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not self.should_exit:
            await asyncio.sleep(0.01)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(0.01)
        for server in self.servers:
            await server.wait_closed()
        await self.lifespan.shutdown()


@pytest.fixture
def studio(transactional_db) -> Iterator[str]:
    """The ASGI application on a port of its own; gives its address."""
    from gptstudio.asgi import application

    port = free_port()
    config = uvicorn.Config(application, host="127.0.0.1", port=port, log_level="error", lifespan="on")
    server = StudioServer(config)
    thread = threading.Thread(target=server.run, name="studio")
    thread.start()
    deadline = time.monotonic() + 120
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the studio did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=120)


@pytest.fixture
def make_key(as_alice, workspace) -> Callable[..., str]:
    """Issue keys in Care: `make_key("chat", budget_micro=…)` gives the secret."""
    from gptstudio.accounts import policies, services

    def make(*scopes: str, actor=None, **options) -> str:
        actor = actor or as_alice
        _key, secret = services.issue_key(
            actor,
            workspace_id=actor.workspace_id,
            name="test",
            scopes=scopes or [scope for scope in policies.SCOPES if scope != "models:preview"],
            **options,
        )
        return secret

    return make


@pytest.fixture
def client_for(studio: str) -> Iterator[Callable[[str], openai.OpenAI]]:
    """The official client with a key; it does not try again unless a test says so. Every answer's shape is checked."""
    made: list[openai.OpenAI] = []

    def make(secret: str, *, max_retries: int = 0) -> openai.OpenAI:
        http = openai.DefaultHttpxClient(event_hooks={"response": [check_answer]})
        made.append(
            openai.OpenAI(
                api_key=secret, base_url=f"{studio}/v1", max_retries=max_retries, timeout=240, http_client=http
            )
        )
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(client_for, make_key) -> openai.OpenAI:
    """Alice's program, with every scope but models:preview."""
    return client_for(make_key())


@pytest.fixture
def stranger(client_for, make_key, as_charlie) -> openai.OpenAI:
    """Charlie's program, with every scope in another workspace."""
    return client_for(make_key(actor=as_charlie))


@pytest.fixture
def make_tuned(base_model, tuned_folder, workspace):
    """Register a fine-tune of the tiny model in Care, released or not."""
    from gptstudio.core import artifacts
    from gptstudio.review.models import ReviewItem, ReviewState
    from training_app.models import LanguageModel, ModelKind

    def make(
        name: str = "ft:studio-starter-1:care:tone:00000001", *, released: bool = True, folder: Path = tuned_folder
    ) -> LanguageModel:
        digest, _path = artifacts.store_folder(folder)
        model = LanguageModel.objects.create(
            workspace=workspace,
            name=name,
            kind=ModelKind.FINE_TUNE,
            base=base_model,
            digest=digest,
            context_length=base_model.context_length,
        )
        if released:
            ReviewItem.objects.create(
                workspace=workspace, kind="model", subject_id=model.id, title=name, state=ReviewState.APPROVED
            )
        return model

    return make
