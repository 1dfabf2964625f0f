"""What is kept of questions and answers: nothing, unless the workspace says so; then scrubbed, and for its time."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import openai
import pytest
from django.utils import timezone

from gptstudio.audit.models import AuditEvent
from serving_app import services
from serving_app.models import KeptTexts, UsageEvent
from serving_app.services import keeping as keeper
from serving_app.services import storing
from serving_app.services.trips import KEEPING
from tests.serving_app.conftest import EngineProcess
from tests.serving_app.test_guardrails import saying, streamed

ASKED = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "My name is Jane Doe, jane@x.org. Where is it?"},
]
SECRET_WORDS = "purple elephants dance"


def all_kept() -> None:
    """Wait until nothing waits to be kept; what was answered does."""
    KEEPING.submit(lambda: None).result(240)


@pytest.fixture
def keeping(as_alice, workspace):
    """Have the workspace keep texts for a month, or for so many days."""

    def put(days: int | None = 30, **sides: Any) -> None:
        rules = {"prompts": {}, "answers": {}} | sides
        services.set_guardrails(as_alice, workspace_id=workspace.id, keep_days=days, **rules)

    return put


def test_by_itself_nothing_is_kept(client, base_model):
    client.chat.completions.create(model=base_model.name, messages=ASKED, max_tokens=4)
    all_kept()
    assert not KeptTexts.objects.exists()


def test_whole_and_streamed_texts_are_kept_scrubbed(client, base_model, keeping, workspace):
    keeping()
    said = saying("Call 555-123-4567, please")
    whole = client.chat.completions.create(model=base_model.name, messages=ASKED, response_format=said)
    stream = client.chat.completions.create(model=base_model.name, messages=ASKED, response_format=said, stream=True)
    list(stream)
    all_kept()
    for attempt in (whole._request_id, stream.response.headers["x-request-id"]):
        kept = KeptTexts.objects.get(request_id=attempt)
        assert kept.workspace_id == workspace.id
        assert kept.question == {
            "messages": [ASKED[0], {"role": "user", "content": "My name is [PERSON], [EMAIL]. Where is it?"}]
        }
        [answer] = kept.answers
        assert answer == {"content": '{"said": "Call [PHONE], please"}', "finish_reason": "stop", "calls": []}
    assert "555-123-4567" in whole.choices[0].message.content


def test_text_completions_are_kept_and_embeddings_are_not(client, base_model, keeping):
    from training_app.models import LanguageModel

    keeping()
    found = client.completions.create(model=base_model.name, prompt=["a", "b"], max_tokens=3)
    all_kept()
    kept = KeptTexts.objects.get(request_id=found._request_id)
    assert kept.question == {"prompt": ["a", "b"]} and len(kept.answers) == 2
    LanguageModel.objects.update(embeds=True)
    client.embeddings.create(model=base_model.name, input="a")
    with pytest.raises(openai.BadRequestError, match="texts of embeddings are not kept"):
        client.embeddings.create(model=base_model.name, input="a", extra_body={"store": True})
    all_kept()
    assert KeptTexts.objects.count() == 1


def test_a_request_that_says_store_false_has_nothing_kept_and_store_true_is_taken(client, base_model, keeping):
    ask = {"model": base_model.name, "messages": ASKED, "max_tokens": 4}
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**ask, store=True)
    assert refused.value.param == "store" and "this workspace keeps no texts" in str(refused.value)
    keeping()
    client.chat.completions.create(**ask, store=False)
    all_kept()
    assert not KeptTexts.objects.exists()
    client.chat.completions.create(**ask, store=True)
    all_kept()
    assert KeptTexts.objects.count() == 1


def test_of_a_stopped_answer_only_what_went_out_is_kept(client, base_model, keeping):
    keeping(answers={"words": ["idiot"]})
    text, _, attempt, _ = streamed(client, base_model, response_format=saying("Oh, you idiot there"))
    all_kept()
    [answer] = KeptTexts.objects.get(request_id=attempt).answers
    assert (answer["content"], answer["finish_reason"]) == (text, "content_filter") and "idiot" not in text


def test_texts_are_deleted_when_their_time_is_over_and_when_the_workspace_keeps_none(
    client, base_model, keeping, as_alice, workspace
):
    ask = {"model": base_model.name, "messages": ASKED, "max_tokens": 2}
    keeping(2)
    old, new = (client.chat.completions.create(**ask)._request_id for _ in range(2))
    all_kept()
    KeptTexts.objects.filter(request_id=old).update(created_at=timezone.now() - timedelta(days=2, minutes=1))
    assert services.drop_old_texts() == 1
    assert [each.request_id for each in KeptTexts.objects.all()] == [new]
    services.set_guardrails(as_alice, workspace_id=workspace.id, prompts={}, answers={})
    assert KeptTexts.objects.count() == 1
    keeping(None)
    told = AuditEvent.objects.filter(action="guardrails.set").latest("id").data
    assert (told["keep_days"], told["texts_deleted"]) == (None, 1)
    assert not KeptTexts.objects.exists() and UsageEvent.objects.filter(kind="settle").count() == 2


def test_the_reconciler_sweeps(client, base_model, keeping, reconciler):
    keeping(1)
    client.chat.completions.create(model=base_model.name, messages=ASKED, max_tokens=2)
    all_kept()
    KeptTexts.objects.update(created_at=timezone.now() - timedelta(days=3))
    reconciler._swept_at = float("-inf")
    reconciler.run_pass()
    assert not KeptTexts.objects.exists()


def test_logs_and_the_engines_journal_hold_no_key_and_no_text(
    base_model, engine: EngineProcess, studio, make_key, client_for, keeping, rules_broken, caplog, capfd
):
    """Every way to end: answered, streamed, refused by a rule, by the engine, by the gateway; with logs at their most."""
    caplog.set_level(logging.DEBUG)
    secret = make_key("chat")
    client, stray = client_for(secret), client_for("sk-studio-" + "wrongkey" * 6)
    asked = [{"role": "user", "content": SECRET_WORDS}]
    ask = {"model": base_model.name, "messages": asked, "max_tokens": 2}
    client.chat.completions.create(**ask)
    list(client.chat.completions.create(**ask, stream=True))
    for wrong in ({"temperature": 9}, {"model": "no-such-model"}, {"messages": [*asked, {"role": "x"}]}):
        with pytest.raises(openai.APIStatusError):
            client.chat.completions.create(**{**ask, **wrong})
    with pytest.raises(openai.AuthenticationError):
        stray.chat.completions.create(**ask)
    rules_broken()
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**ask)
    ours = [each.getMessage() for each in caplog.records if not each.name.startswith(("openai", "http", "asyncio"))]
    told = "\n".join(ours) + "".join(capfd.readouterr())
    journal = "".join(path.read_text() for path in (engine.home / "journal").rglob("*") if path.is_file())
    for hidden in (SECRET_WORDS, "elephants", secret, secret[-20:], "wrongkeywrongkey"):
        assert hidden not in told and hidden not in journal


@pytest.fixture
def rules_broken(as_alice, workspace):
    def put() -> None:
        prompts = {"words": ["elephants"]}
        services.set_guardrails(as_alice, workspace_id=workspace.id, prompts=prompts, answers={})

    return put


def test_a_stranger_and_an_editor_read_none_of_it_and_a_reviewer_does(
    client, base_model, keeping, make_key, studio, as_charlie
):
    import httpx

    keeping()
    attempt = client.chat.completions.create(model=base_model.name, messages=ASKED, max_tokens=2)._request_id
    all_kept()
    address = f"{studio}/api/v1/requests/{attempt}/texts"

    def get(secret: str, method: str = "GET") -> httpx.Response:
        return httpx.request(method, address, headers={"Authorization": f"Bearer {secret}"}, timeout=60)

    assert get(make_key("usage:read")).status_code == 403
    assert get(make_key("reviews:read", actor=as_charlie)).status_code == 404
    found = get(make_key("reviews:read")).json()
    assert AuditEvent.objects.get(action="texts.read").subject_id == attempt
    assert found["question"]["messages"][0] == ASKED[0] and "Jane" not in json.dumps(found)
    assert get(make_key("reviews:read"), "DELETE").status_code == 403
    assert get(make_key("erasure:write"), "DELETE").status_code == 204
    assert get(make_key("reviews:read")).status_code == 404


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """Until it is set, nothing is written: the keeper has something else to do."""
    gate = threading.Event()
    KEEPING.submit(gate.wait)
    yield gate
    gate.set()


def test_no_answer_waits_for_its_texts_to_be_kept(client, base_model, keeping, held):
    keeping()
    ask = {"model": base_model.name, "messages": ASKED, "max_tokens": 2}
    client.chat.completions.create(**ask)
    list(client.chat.completions.create(**ask, stream=True))
    assert not KeptTexts.objects.exists()
    held.set()
    all_kept()
    assert KeptTexts.objects.count() == 2


def test_what_waits_to_be_kept_is_bounded(client, base_model, keeping, held, monkeypatch):
    monkeypatch.setattr(keeper, "_places", threading.BoundedSemaphore(1))
    keeping()
    ask = {"model": base_model.name, "messages": ASKED, "max_tokens": 2}
    first, _ = (client.chat.completions.create(**ask)._request_id for _ in range(2))
    held.set()
    all_kept()
    last = client.chat.completions.create(**ask)._request_id
    all_kept()
    assert set(KeptTexts.objects.values_list("request_id", flat=True)) == {first, last}


def test_requests_and_answers_that_are_too_long_are_not_kept(client, base_model, keeping, monkeypatch):
    keeping()
    ask = {"model": base_model.name, "messages": ASKED, "max_tokens": 8}
    for place, name in ((storing, "MOST_KEPT"), (keeper, "MOST_CHARACTERS")):
        with monkeypatch.context() as less:
            less.setattr(place, name, 4)
            client.chat.completions.create(**ask, response_format=saying("too long"))
            all_kept()
            assert not KeptTexts.objects.exists()
    monkeypatch.setattr(storing, "MOST_KEPT", 4)
    with pytest.raises(openai.BadRequestError, match="larger than 0 KiB are not kept"):
        client.chat.completions.create(**ask, store=True)


def test_texts_that_cannot_be_scrubbed_are_not_kept_and_not_told(client, base_model, keeping, monkeypatch, caplog):
    def broken(*_: Any) -> None:
        raise ValueError(SECRET_WORDS)

    keeping()
    with monkeypatch.context() as patched:
        patched.setattr(keeper, "scrubbed_texts", broken)
        client.chat.completions.create(model=base_model.name, messages=ASKED, max_tokens=2)
        all_kept()
    assert not KeptTexts.objects.exists()
    assert "were not kept: ValueError" in caplog.text and SECRET_WORDS not in caplog.text


def test_a_request_that_was_admitted_before_keeping_ended_writes_nothing(client, base_model, keeping, held):
    keeping()
    client.chat.completions.create(model=base_model.name, messages=ASKED, max_tokens=2)
    keeping(None)
    held.set()
    all_kept()
    assert not KeptTexts.objects.exists()


@pytest.mark.parametrize("days", [None, 30])
def test_every_endpoint_that_keeps_takes_store_false(client, base_model, keeping, days):
    keeping(days)
    client.completions.create(model=base_model.name, prompt="a", max_tokens=2, extra_body={"store": False})
    client.chat.completions.create(model=base_model.name, messages=ASKED, max_tokens=2, store=False)
    all_kept()
    assert not KeptTexts.objects.exists()
