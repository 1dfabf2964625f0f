"""An answer of a model that is asked for twice under one `Idempotency-Key` is made, and billed, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from gptstudio.api.models import KeptAnswer
from serving_app.models import UsageEvent
from tests.serving_app.conftest import ENDLESS, until

KEY = "5f2c7a90"
REPLAYED = "Idempotent-Replayed"


@pytest.fixture
def ask(studio, base_model, make_key):
    """Ask once, with a key for repeats; `secret` for another caller's."""
    own = make_key()

    def asking(path: str = "chat/completions", key: str = KEY, secret: str = own, **more) -> httpx.Response:
        body = {"model": base_model.name, "max_tokens": 4, "temperature": 1.0}
        body |= {"messages": [{"role": "user", "content": "Hello"}]} if path == "chat/completions" else {"prompt": "Hi"}
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": key}
        return httpx.post(f"{studio}/v1/{path}", headers=headers, json=body | more, timeout=120)

    return asking


def settled() -> int:
    return UsageEvent.objects.filter(kind="settle").count()


@pytest.mark.parametrize("path", ["chat/completions", "completions"])
def test_the_second_time_the_first_answer_comes_and_costs_nothing(ask, path):
    first, second = ask(path), ask(path)
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content and second.headers[REPLAYED] == "true"
    assert REPLAYED not in first.headers and settled() == 1
    assert ask(path, key="another").json()["id"] != first.json()["id"] and settled() == 2


def test_a_stream_comes_again_whole(ask):
    first, second = ask(stream=True), ask(stream=True)
    assert first.content.endswith(b"data: [DONE]\n\n") and second.content == first.content
    assert second.headers["content-type"] == first.headers["content-type"]
    assert second.headers[REPLAYED] == "true" and settled() == 1


def test_a_key_with_another_question_is_refused_and_one_of_another_caller_is_another(ask, make_key):
    ask()
    assert ask(max_tokens=5).json()["error"]["code"] == "idempotency_key_reused"
    assert ask(secret=make_key()).status_code == 200 and settled() == 2


def test_what_was_refused_may_be_mended_under_the_same_key(ask):
    assert ask(temperature=-1).status_code == 400
    assert ask().status_code == 200


def test_while_the_first_answer_is_made_a_repeat_is_told_to_wait(ask, engine):
    with ThreadPoolExecutor(1) as beside, engine.held():
        first = beside.submit(ask)
        until(KeptAnswer.objects.exists)
        early = ask()
    assert early.status_code == 409 and early.json()["error"]["code"] == "request_in_flight"
    assert early.headers["x-should-retry"] == "true"
    assert ask().content == first.result().content and settled() == 1


def test_a_stream_that_its_caller_left_may_be_asked_for_again(studio, base_model, make_key, ask):
    secret = make_key()
    asked = {"model": base_model.name, "stream": True, **ENDLESS}
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": KEY}
    with httpx.stream("POST", f"{studio}/v1/completions", headers=headers, json=asked, timeout=60) as left:
        next(left.iter_bytes())
    until(lambda: not KeptAnswer.objects.exists())
    assert ask("completions", secret=secret, stream=True).status_code == 200


def test_nobody_reads_the_answer_in_the_database(ask):
    answer = ask(max_tokens=40).text
    kept = KeptAnswer.objects.get()
    assert answer not in kept.body and '"choices"' not in kept.body  # shorter words stand in any letters by chance
    assert len(kept.body) > len(answer)
    assert KEY not in (kept.key, kept.body)
