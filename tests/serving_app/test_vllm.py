"""Engines that keep no journal: what vLLM is sent that others are not, and what the ledger and callers learn of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import openai
import pytest
from django.core.management import call_command
from django.utils import timezone

from gptstudio.core import artifacts
from gptstudio.review.models import ReviewItem, ReviewState
from serving_app import selectors
from serving_app.models import EngineReplica, UsageDaily, UsageEvent
from serving_app.services import loading, metering, reaping, rebuild_workspace, reconciling
from tests.serving_app.conftest import asking, make_home, until
from tests.serving_app.vllm_server import PROMPT, Vllm
from training_app.models import LanguageModel, ModelKind

HELLO = [{"role": "user", "content": "Hello there"}]
NAME = "org/base"


@pytest.fixture
def start(settings, tmp_path, tiny_folder, reconciler, transactional_db) -> Iterator[Callable[..., Vllm]]:
    """Start a server and have the starter answered by it alone."""
    from training_app.services import ensure_starter

    servers: list[Vllm] = []
    settings.STUDIO_HOME, settings.STARTER_FOLDER = make_home(tmp_path / "studio"), tiny_folder
    settings.BROKER_FOLDER = settings.STUDIO_HOME / "broker"

    def begin(**options: str) -> Vllm:
        server = Vllm(name=NAME, **options)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        settings.ENGINE_URLS = {"theirs": server.url}
        settings.ENGINE_MODELS = {ensure_starter().id: NAME}
        reconciler.run_pass()
        return server

    yield begin
    for server in servers:
        server.go.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def vllm(start) -> Vllm:
    return start()


@pytest.fixture
def unknown(start) -> Vllm:
    """A server of the same format that does not say that it is vLLM."""
    return start(owned_by="somebody")


@pytest.fixture
def make_adapter(workspace, tmp_path):
    """Register a released adapter of the starter in Care."""

    def make() -> LanguageModel:
        folder = tmp_path / "adapter"
        folder.mkdir()
        (folder / "adapter_config.json").write_text("{}")
        digest, _path = artifacts.store_folder(folder)
        base = LanguageModel.objects.get(name="studio-starter-1")
        model = LanguageModel.objects.create(
            workspace=workspace, name="ft:tone", kind=ModelKind.FINE_TUNE, is_adapter=True, base=base, digest=digest
        )
        ReviewItem.objects.create(
            workspace=workspace, kind="model", subject_id=model.id, title="tone", state=ReviewState.APPROVED
        )
        return model

    return make


def ask(client, **more):
    return client.chat.completions.create(model="studio-starter-1", messages=HELLO, **more)


def test_vllm_is_told_whose_prompts_may_share_what_it_computed(vllm, client, stranger):
    assert EngineReplica.objects.get().is_vllm
    answers = [ask(client), ask(client), ask(stranger)]
    ours, again, theirs = (body["cache_salt"] for body in vllm.bodies)
    assert ours == again != theirs and len(ours) == 64
    assert {answer.usage.prompt_tokens_details.cached_tokens for answer in answers} == {4}
    with pytest.raises(openai.BadRequestError, match="cache_salt"):
        ask(client, extra_body={"cache_salt": "theirs"})


def test_an_answer_is_named_by_its_request_whoever_wrote_it(vllm, client):
    vllm.go.set()
    whole = ask(client)
    assert whole.id == f"chatcmpl-{whole._request_id}"
    stream = ask(client, stream=True)
    assert {chunk.id for chunk in stream} == {f"chatcmpl-{stream.response.headers['x-request-id']}"}


def leave(client, server, **more) -> str:
    """Go away in the middle of a stream; gives the attempt."""
    stream = ask(client, stream=True, **more)
    assert server.said.wait(120)
    for _, _chunk in zip(range(server.first + 1), stream, strict=False):
        pass
    stream.close()
    return str(stream.response.headers["x-request-id"])


def bill_of(workspace, attempt: str):
    until(lambda: UsageEvent.objects.filter(attempt_id=attempt, kind="settle").exists())
    assert selectors.balance_of(workspace.id).reserved_micro == 0
    return selectors.usage_of(workspace.id, attempt)


def test_who_goes_away_from_vllm_is_billed_by_the_last_count_that_it_told(vllm, client, workspace):
    vllm.a_piece = 3  # tokens in a piece
    bill = bill_of(workspace, leave(client, vllm))
    assert (bill.state, bill.estimated) == ("cancelled", True)
    assert (bill.prompt_tokens, bill.completion_tokens) == (PROMPT, 15)


def test_who_goes_away_from_another_server_is_billed_by_its_pieces(unknown, client, workspace):
    bill = bill_of(workspace, leave(client, unknown))
    assert "continuous_usage_stats" not in unknown.bodies[0]["stream_options"]
    assert (bill.state, bill.estimated, bill.completion_tokens) == ("cancelled", True, 5)
    assert 0 < bill.prompt_tokens < 20


def test_who_waits_no_longer_for_a_whole_answer_is_billed_for_the_prompt(vllm, studio, make_key, workspace):
    with asking(studio, key=make_key(), model="studio-starter-1", messages=HELLO, max_tokens=1):  # it waits
        assert vllm.said.wait(120)
    attempt = UsageEvent.objects.get(kind="reserve").attempt_id
    bill = bill_of(workspace, attempt)
    assert (bill.state, bill.estimated, bill.completion_tokens) == ("cancelled", True, 0) and bill.prompt_tokens > 0


def test_a_stream_that_breaks_is_billed_for_what_came(vllm, client, workspace):
    vllm.breaks = True
    vllm.go.set()
    stream = ask(client, stream=True)
    with pytest.raises(openai.APIError):
        list(stream)
    bill = bill_of(workspace, stream.response.headers["x-request-id"])
    assert (bill.state, bill.estimated, bill.completion_tokens) == ("failed", True, 5)


def test_a_stream_longer_than_the_reaper_waits_is_billed_after_all(vllm, client, workspace, reconciler, monkeypatch):
    stream = ask(client, stream=True)
    attempt = stream.response.headers["x-request-id"]
    monkeypatch.setattr(reaping, "NEVER_COUNTED", timedelta(0))
    reconciler.run_pass()
    assert bill_of(workspace, attempt).completion_tokens == 0
    vllm.go.set()
    list(stream)
    bill = selectors.usage_of(workspace.id, attempt)
    assert (bill.state, bill.prompt_tokens, bill.completion_tokens) == ("completed", PROMPT, 8)
    assert UsageDaily.objects.get().requests == 1
    rebuilt = rebuild_workspace(workspace.id)
    assert (rebuilt.wrong_days, rebuilt.wrong_balances) == (0, 0)


def test_an_adapter_is_loaded_from_its_folder_and_leaves_when_it_is_withdrawn(vllm, make_adapter, reconciler):
    model = make_adapter()
    reconciler.run_pass()
    loaded = vllm.adapters[model.engine_name]
    assert Path(loaded["lora_path"]).is_absolute() and (Path(loaded["lora_path"]) / "adapter_config.json").is_file()
    replica = EngineReplica.objects.get()
    assert replica.is_up and replica.loaded == sorted([NAME, model.engine_name]) and not replica.problems
    assert selectors.answers(model)
    model.archived_at = timezone.now()
    model.save()
    reconciler.run_pass()
    assert not vllm.adapters and EngineReplica.objects.get().loaded == [NAME]


def test_an_engine_that_loads_for_long_keeps_no_other_waiting_and_is_not_asked_twice(
    start, make_adapter, reconciler, settings, monkeypatch
):
    other, vllm = start(), start()
    monkeypatch.setattr(loading, "PATIENCE_SECONDS", 0.2)
    model = make_adapter()
    vllm.lasts = threading.Event()
    settings.ENGINE_URLS = {"theirs": vllm.url, "without": other.url}
    both, found = sorted([NAME, model.engine_name]), EngineReplica.objects
    until(lambda: reconciler.run_pass() or (vllm.loads and found.get(name="without").loaded == both))
    reconciler.run_pass()
    assert vllm.loads == 1 and EngineReplica.objects.get(name="theirs").loaded == [NAME]
    assert not selectors.problem_of(model)
    vllm.lasts.set()
    until(lambda: reconciler.run_pass() or len(EngineReplica.objects.get(name="theirs").loaded) == 2)
    assert vllm.loads == 1


def test_an_engine_that_says_nothing_keeps_no_other_waiting(start, reconciler, settings, monkeypatch):
    server = start()
    monkeypatch.setattr(reconciling, "LOOK_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings.ENGINE_URLS = {"a": f"http://127.0.0.1:{mute.getsockname()[1]}", "b": server.url}
        until(lambda: reconciler.run_pass() or EngineReplica.objects.get(name="b").is_up)
        reconciler.run_pass()
        assert not EngineReplica.objects.get(name="a").is_up
        assert list(reconciler._looks) == ["a"], "asked once, and still listened for"


def test_a_request_is_bounded_by_what_the_engine_says_that_it_reads(start, client, reconciler):
    server = start()
    LanguageModel.objects.update(context_length=131_072)
    server.go.set()
    for context, most in ((None, 131_072), (2048, 2048)):
        server.context = context
        reconciler.run_pass()
        held = UsageEvent.objects.get(kind="reserve", attempt_id=ask(client)._request_id)
        assert held.completion_tokens == most


def test_an_engine_that_breaks_off_while_it_loads_stays_up_and_is_asked_again_after_a_while(
    vllm, make_adapter, reconciler
):
    model = make_adapter()
    vllm.breaks = True
    for _ in range(2):
        reconciler.run_pass()
        assert EngineReplica.objects.get().is_up and "asked again" in selectors.problem_of(model)
    assert vllm.loads == 1


def test_what_no_journal_counted_is_not_compared(vllm, client, capsys):
    ask(client)
    call_command("reconcile_usage")
    said = capsys.readouterr().out
    assert "0 attempts differ" in said and "1 more on engines without a journal" in said
    assert b"studio_engine_up{" in metering._of_database()
    assert b'engine_minus_ledger_tokens{engine="theirs"' not in metering._of_database()


def test_of_an_engine_that_keeps_no_prompts_apart_nobody_learns_what_it_had_computed(unknown, client):
    assert not EngineReplica.objects.get().is_vllm
    unknown.go.set()
    whole = ask(client)
    last = list(ask(client, stream=True, stream_options={"include_usage": True}))[-1]
    for usage in (whole.usage, last.usage):
        assert (usage.prompt_tokens, usage.completion_tokens, usage.prompt_tokens_details) == (7, 8, None)
    assert "cache_salt" not in unknown.bodies[0]
