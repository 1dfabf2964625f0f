"""Clients that go away, engines that are killed, web processes that die: the ledger equals the engine's journal."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import openai
import pytest

from gptstudio.core.ids import mint
from serving_app import engine_client, selectors
from serving_app.engine_client import JournalRow
from serving_app.models import Completion, EngineReplica, UsageEvent
from serving_app.services import engine_minus_ledger, reaping
from serving_app.services.usage import note_left
from tests.serving_app.conftest import ENDLESS, MOST_TOKENS, asking, until

HELLO = [{"role": "user", "content": "Hello there"}]


def journal(url: str) -> dict[str, JournalRow]:
    """The last row of each attempt."""

    async def read() -> dict[str, JournalRow]:
        rows: dict[str, JournalRow] = {}
        after = 0
        while found := await engine_client.usage(url, after=after):
            rows |= {row.attempt_id: row for row in found}
            after = found[-1].seq
        await engine_client.close()
        return rows

    return asyncio.run(read())


def counts(attempt: str) -> tuple[int, int]:
    found = selectors.settled_counts([attempt])[attempt]
    return found.prompt, found.completion


def test_a_client_that_goes_away_is_billed_for_what_the_engine_wrote(client, engine, base_model, reconciler):
    stream = client.completions.create(model=base_model.name, stream=True, **ENDLESS)
    attempt = stream.response.headers["x-request-id"]
    for _, _chunk in zip(range(10), stream, strict=False):
        pass
    stream.close()
    until(lambda: journal(engine.url)[attempt].finish_reason is not None)
    row = journal(engine.url)[attempt]
    assert row.finish_reason == "cancelled" and 0 < row.completion_tokens < MOST_TOKENS
    reconciler.run_pass()
    assert counts(attempt) == (row.prompt_tokens, row.completion_tokens)
    request = Completion.objects.get(id=attempt)
    assert request.state == "cancelled"
    assert selectors.balance_of(request.workspace_id).reserved_micro == 0
    assert attempt not in engine_minus_ledger().attempts


def test_a_client_that_gives_up_waiting_for_a_whole_answer_stops_the_engine(
    studio, make_key, engine, base_model, reconciler
):
    with asking(studio, "completions", key=make_key(), model=base_model.name, **ENDLESS):
        attempt = until(Completion.objects.first).id
        until(lambda: attempt in journal(engine.url))
    until(lambda: journal(engine.url)[attempt].finish_reason is not None)
    row = journal(engine.url)[attempt]
    assert row.finish_reason == "cancelled"
    reconciler.run_pass()
    assert counts(attempt) == (row.prompt_tokens, row.completion_tokens)


def test_an_engine_killed_in_the_middle_of_a_stream_is_settled_once_after_its_restart(own_engine, client, reconciler):
    from training_app.services import ensure_starter

    model = ensure_starter()
    reconciler.run_pass()
    stream = client.completions.create(model=model.name, stream=True, **ENDLESS)
    attempt = stream.response.headers["x-request-id"]
    with pytest.raises(openai.APIError) as broken:
        for number, _chunk in enumerate(stream):
            if number == 40:
                own_engine.kill()
    assert broken.value.code == "engine_broke"
    reconciler.run_pass()
    assert not EngineReplica.objects.get().is_up
    with pytest.raises(openai.InternalServerError) as waiting:
        client.chat.completions.create(model=model.name, messages=HELLO)
    assert waiting.value.status_code == 503
    assert attempt not in selectors.settled_counts()
    own_engine.start()
    reconciler.run_pass()
    row = journal(own_engine.url)[attempt]
    assert row.finish_reason == "error" and row.completion_tokens >= 16
    assert counts(attempt) == (row.prompt_tokens, row.completion_tokens)
    reconciler.run_pass()
    assert UsageEvent.objects.filter(attempt_id=attempt, kind="settle").count() == 1
    assert client.chat.completions.create(model=model.name, messages=HELLO, max_tokens=2).usage.completion_tokens == 2
    assert engine_minus_ledger().is_even


def test_an_engine_that_went_since_the_last_look_costs_nothing(own_engine, client, reconciler, workspace):
    from training_app.services import ensure_starter

    model = ensure_starter()
    reconciler.run_pass()
    own_engine.kill()
    for streamed in (False, True):
        with pytest.raises(openai.InternalServerError) as refused:
            client.chat.completions.create(model=model.name, messages=HELLO, stream=streamed)
        assert refused.value.code == "engine_unavailable" and refused.value.response.headers["x-should-retry"] == "true"
    assert set(UsageEvent.objects.values_list("kind", flat=True)) == {"reserve", "release"}
    assert selectors.balance_of(workspace.id).reserved_micro == 0


def open_attempt(model, workspace, attempt: str) -> Completion:
    """As a web process leaves it that was killed right after its first trip."""
    from serving_app.prices import Tokens
    from serving_app.services import reserve
    from serving_app.services.accounts import Account

    request = Completion(id=attempt, workspace=workspace, model=model, replica="embedded", endpoint="completions")
    reserve(request, model_name=model.name, bound=Tokens(10, 10), accounts=[Account(workspace.id, None, "workspace")])
    return request


def test_a_killed_web_process_leaves_nothing_open(engine, base_model, workspace, reconciler, monkeypatch):
    """One attempt was answered by the engine but never settled, another never got there."""
    answered, lost = mint("req_"), mint("req_")
    for attempt in (answered, lost):
        open_attempt(base_model, workspace, attempt)

    async def ask() -> None:
        body = {"model": base_model.engine_name, "prompt": "abc", "max_tokens": 6}
        async with engine_client.asking(
            engine.url, "/v1/completions", body=body, attempt_id=answered, scope="care"
        ) as response:
            await response.read()
        await engine_client.close()

    asyncio.run(ask())
    reconciler.run_pass()
    assert counts(answered) == (3, 6)
    assert not UsageEvent.objects.filter(attempt_id=lost).exclude(kind="reserve").exists()
    monkeypatch.setattr(reaping, "NEVER_ARRIVED", timedelta(0))
    reconciler.run_pass()
    assert UsageEvent.objects.filter(attempt_id=lost, kind="release", source="reaper").count() == 1
    assert selectors.balance_of(workspace.id).reserved_micro == 0


def test_a_request_that_still_runs_is_not_released(client, engine, base_model, reconciler, monkeypatch):
    stream = client.completions.create(model=base_model.name, stream=True, **ENDLESS)
    attempt = stream.response.headers["x-request-id"]
    next(iter(stream))
    until(lambda: attempt in journal(engine.url))
    monkeypatch.setattr(reaping, "NEVER_ARRIVED", timedelta(0))
    reconciler.run_pass()
    assert Completion.objects.get(id=attempt).reached_engine
    assert not UsageEvent.objects.filter(attempt_id=attempt).exclude(kind="reserve").exists()
    stream.close()
    until(lambda: journal(engine.url)[attempt].finish_reason is not None)


def test_a_journal_that_was_replaced_is_read_from_its_beginning(engine, base_model, client, reconciler):
    first = client.completions.create(model=base_model.name, prompt="a", max_tokens=2)
    UsageEvent.objects.filter(attempt_id=first._request_id, kind="settle").delete()
    Completion.objects.filter(id=first._request_id).update(state="running")
    EngineReplica.objects.update(usage_seq=10**6, usage_mark="another journal's row")
    reconciler.run_pass()
    assert counts(first._request_id) == (1, 2)


def test_what_ran_when_a_journal_was_lost_is_closed_as_estimated(base_model, workspace, reconciler):
    lost, waiting = (open_attempt(base_model, workspace, mint("req_")).id for _ in range(2))
    replica = EngineReplica.objects.get()
    Completion.objects.filter(id__in=(lost, waiting)).update(replica=replica.name)
    Completion.objects.filter(id=lost).update(reached_engine=True)
    EngineReplica.objects.update(usage_seq=10**6, usage_mark="another journal's row")
    reconciler.run_pass()
    assert UsageEvent.objects.get(attempt_id=lost, kind="settle").estimated
    assert Completion.objects.get(id=waiting).state == "running", "it may reach the engine yet"


def test_what_its_caller_left_before_the_engine_began_is_no_failure(base_model, workspace, reconciler, monkeypatch):
    left, other = (open_attempt(base_model, workspace, mint("req_")).id for _ in range(2))
    Completion.objects.filter(id__in=(left, other)).update(replica=EngineReplica.objects.get().name)
    note_left(left)
    monkeypatch.setattr(reaping, "NEVER_BEGUN", timedelta(0))
    reconciler.run_pass()
    found = {each.id: (each.state, each.error_code) for each in Completion.objects.filter(id__in=(left, other))}
    assert found == {left: ("cancelled", ""), other: ("running", "")}
    assert [each.kind for each in UsageEvent.objects.filter(attempt_id=left).order_by("at")] == ["reserve", "release"]


def test_attempts_on_an_engine_that_is_no_longer_ours_are_closed_as_estimated(
    base_model, workspace, reconciler, monkeypatch
):
    request = open_attempt(base_model, workspace, mint("req_"))
    Completion.objects.filter(id=request.id).update(replica="gone")
    monkeypatch.setattr(reaping, "NEVER_COUNTED", timedelta(0))
    reconciler.run_pass()
    assert UsageEvent.objects.get(attempt_id=request.id, kind="settle").estimated
