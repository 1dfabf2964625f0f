"""A server that nobody here wrote stands in for the engine: `transformers serve`, under a name of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from serving_app import selectors
from serving_app.models import EngineReplica, UsageEvent
from tests.serving_app.conftest import free_port, point_at

pytestmark = pytest.mark.once
HELLO = [{"role": "user", "content": "Hello there"}]
THEIR_NAME, COMMIT = "studio/tiny", "1" * 40


@pytest.fixture(scope="module")
def transformers_serve(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Iterator[str]:
    """`transformers serve` with the tiny model, as if it had been fetched from the hub; gives its address."""
    cache = tmp_path_factory.mktemp("hub")
    fetched = cache / f"models--{THEIR_NAME.replace('/', '--')}"
    shutil.copytree(tiny_folder, fetched / "snapshots" / COMMIT)
    (fetched / "refs").mkdir()
    (fetched / "refs" / "main").write_text(COMMIT)
    port = free_port()
    argv = [str(Path(sys.executable).parent / "transformers"), "serve", THEIR_NAME, "--port", str(port)]
    env = {**os.environ, "HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(
        [*argv, "--host", "127.0.0.1"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 400
    try:
        while True:
            assert server.poll() is None and time.monotonic() < deadline, "transformers serve did not become ready"
            try:
                with urllib.request.urlopen(url + "/health", timeout=5):
                    break
            except OSError:
                time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=120)


@pytest.fixture
def foreign(settings, transformers_serve, shared_engine, tiny_folder, reconciler, transactional_db):
    """The starter, which their server alone answers for."""
    from training_app.services import ensure_starter

    point_at(settings, shared_engine, tiny_folder)
    settings.ENGINE_URLS = {"theirs": transformers_serve}
    model = ensure_starter()
    settings.ENGINE_MODELS = {model.id: THEIR_NAME}
    reconciler.run_pass()
    return model


def test_it_answers_whole_and_streamed_and_is_billed_by_its_own_count(foreign, client, workspace) -> None:
    replica = EngineReplica.objects.get()
    assert (replica.is_up, replica.has_journal, replica.loaded) == (True, False, [THEIR_NAME])
    whole = client.chat.completions.create(model=foreign.name, messages=HELLO, max_tokens=6, temperature=0)
    assert whole.model == foreign.name and whole.usage is not None and whole.usage.completion_tokens > 0
    chunks = list(
        client.chat.completions.create(
            model=foreign.name, messages=HELLO, max_tokens=6, temperature=0, stream=True,
            stream_options={"include_usage": True},
        )
    )  # fmt: skip
    assert {chunk.model for chunk in chunks} == {foreign.name}
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text and text == whole.choices[0].message.content.rstrip("\ufffd")  # half characters, which it streams not
    bill = selectors.usage_of(workspace.id, whole._request_id)
    assert (bill.prompt_tokens, bill.completion_tokens) == (whole.usage.prompt_tokens, whole.usage.completion_tokens)
    settled = UsageEvent.objects.filter(kind="settle").values_list("prompt_tokens", "completion_tokens", "estimated")
    assert len(settled) == 2 and len(set(settled)) == 1, "the same question and answer cost the same"
    assert not settled[0][2]


@pytest.mark.parametrize(
    ("field", "value"),
    [("chat_template_kwargs", {"enable_thinking": True}), ("temprature", 0), ("n", 999), ("audio", {"voice": "alloy"})],
)
def test_what_it_would_ignore_is_refused_here(foreign, client, field, value) -> None:
    with pytest.raises(openai.BadRequestError) as told:
        client.chat.completions.create(model=foreign.name, messages=HELLO, max_tokens=1, extra_body={field: value})
    assert told.value.param == field
    assert not UsageEvent.objects.exists(), "nothing was held for it"


def test_without_a_name_there_nobody_answers(foreign, settings, client, reconciler) -> None:
    settings.ENGINE_MODELS = {}
    reconciler.run_pass()
    with pytest.raises(openai.InternalServerError, match="No engine could load"):
        client.chat.completions.create(model=foreign.name, messages=HELLO, max_tokens=1)
    assert not selectors.answers(foreign)


def test_where_nobody_keeps_a_journal_nothing_counts_as_idle(foreign, settings, reconciler) -> None:
    settings.ENGINE_IDLE_MINUTES = 30
    EngineReplica.objects.update(has_journal=True)
    reconciler._asked[foreign.engine_name] = reconciler._asked[THEIR_NAME] = float("-inf")
    reconciler.run_pass()
    assert reconciler._asked[THEIR_NAME] > 0
