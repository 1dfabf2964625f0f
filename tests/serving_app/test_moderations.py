"""Moderation by the word list, through the official client, whose types every answer is checked against."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import openai
import pytest
from django.test import Client
from django.utils import timezone

from serving_app import moderation_client
from serving_app.models import Completion, UsageEvent
from serving_app.services.judging import end_lost
from tests.serving_app.conftest import asking, until

MODEL = "studio-lexicon-2"


def flagged(result) -> set[str]:
    assert result.flagged == any(result.categories.model_dump().values())
    scores = result.category_scores.model_dump(by_alias=True)
    assert {name for name, score in scores.items() if score} == {
        name for name, hit in result.categories.model_dump(by_alias=True).items() if hit
    }
    return {name for name, score in scores.items() if score}


def test_each_text_is_judged_by_itself(client):
    texts = ["Where is my parcel?", "You idiot.", "kill yourself", "That is fucking late.", "You idi\u043et."]
    found = client.moderations.create(input=texts)
    assert found.model == MODEL and found.id.startswith("modr-")
    assert [flagged(result) for result in found.results] == [
        set(),
        {"harassment"},
        {"harassment", "harassment/threatening"},
        set(),
        {"harassment"},  # though one of its letters is Cyrillic
    ]


def test_parts_are_one_input_and_masked_words_are_seen(client):
    parts = [{"type": "text", "text": "Well,"}, {"type": "text", "text": "you m0ron"}]
    [result] = client.moderations.create(input=parts, model=MODEL).results
    assert flagged(result) == {"harassment"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": []}, "input"),
        ({"input": [1]}, "input"),
        ({"input": ["x"] * 65}, "input"),
        ({"input": "x" * 200_001}, "input"),
        ({"input": [{"type": "image_url", "image_url": {"url": "x"}}]}, "input[0]"),
        ({"input": [{"type": "text", "text": "a", "more": 1}]}, "input[0].more"),
        ({"input": [{"type": "text", "text": "x"}, "x"]}, "input[1]"),
        ({"input": "x", "model": 1}, "model"),
        ({"input": "x", "extra_body": {"user": "u"}}, "user"),
    ],
)
def test_what_cannot_be_judged_is_refused_by_name(client, body, param):
    with pytest.raises(openai.BadRequestError) as refused:
        client.moderations.create(**body)
    assert refused.value.param == param


def test_another_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as refused:
        client.moderations.create(input="x", model="omni-moderation-latest")
    assert refused.value.code == "model_not_found" and MODEL in str(refused.value)


class Judge(ThreadingHTTPServer):
    """A moderation server: flags texts with `bad` in them. `saying` replaces its answer, `slow` delays it."""

    request_queue_size = 128  # who comes when it is full tries again after a second, and again after three

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), JudgeAnswers)
        self.asked: list[tuple[str, dict]] = []
        self.saying: tuple[int, bytes] | None = None
        self.slow = threading.Event()
        self.slow.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class JudgeAnswers(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.headers.get("Authorization"), body))
        self.server.slow.wait(120)
        results = [
            {
                "flagged": "bad" in text,
                "categories": {"violence": "bad" in text, "of-its-own": True},
                "category_scores": {"violence": 0.9 if "bad" in text else 0.1, "of-its-own": 7},
            }
            for text in body["input"]
        ]
        status, answer = self.server.saying or (200, json.dumps({"id": "x", "results": results}).encode())
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
        except OSError:
            return  # who asked is gone

    def log_message(self, *_arguments) -> None:
        return


@pytest.fixture
def judge(settings, monkeypatch):
    server = Judge()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    settings.MODERATION_URL, settings.MODERATION_TOKEN = server.url, "judge-secret"
    monkeypatch.setattr(moderation_client, "CONNECT_SECONDS", 60.0)
    monkeypatch.setattr(moderation_client, "ANSWER_SECONDS", 120.0)
    settings.MODERATION_MODELS = {"omni-moderation-latest": "guard-3", "strict": "guard-9"}
    yield server
    server.slow.set()
    server.shutdown()
    server.server_close()
    thread.join(timeout=120)


def test_a_moderation_server_judges_under_the_names_that_it_was_given(client, judge):
    found = client.moderations.create(input=["good", "a bad one"])
    assert found.model == "omni-moderation-latest"
    assert [result.flagged for result in found.results] == [False, True]
    assert [result.category_scores.violence for result in found.results] == [0.1, 0.9]
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "bad"}]
    assert client.moderations.create(input=parts, model="strict").results[0].flagged
    assert judge.asked == [
        ("Bearer judge-secret", {"model": "guard-3", "input": ["good", "a bad one"]}),
        ("Bearer judge-secret", {"model": "guard-9", "input": ["one\nbad"]}),
    ]


def test_the_word_list_still_judges_by_its_name_and_unknown_names_are_told_the_known(client, judge):
    assert client.moderations.create(input="You idiot.", model=MODEL).model == MODEL and judge.asked == []
    with pytest.raises(openai.NotFoundError) as refused:
        client.moderations.create(input="x", model="guard-3")
    assert "omni-moderation-latest" in str(refused.value) and MODEL in str(refused.value)


def unavailable(client) -> openai.InternalServerError:
    with pytest.raises(openai.InternalServerError) as refused:
        client.moderations.create(input="x")
    assert refused.value.status_code == 503 and refused.value.code == "moderation_unavailable"
    assert refused.value.response.headers["x-should-retry"] == "true"
    return refused.value


def test_a_server_that_is_away_or_late_is_a_503_with_a_sentence(client, judge, settings, monkeypatch):
    monkeypatch.setattr(moderation_client, "ANSWER_SECONDS", 0.5)
    judge.slow.clear()
    assert "did not answer" in str(unavailable(client))
    settings.MODERATION_URL = "http://127.0.0.1:9"
    assert "did not answer" in str(unavailable(client))


@pytest.mark.parametrize(
    ("saying", "sentence"),
    [
        ((200, b"<html>"), "something else"),
        ((200, b'{"results": []}'), "something else"),
        ((200, b'{"results": [{"flagged": "yes"}]}'), "cannot be read"),
        ((500, b""), "answered 500"),
        ((429, b"{}"), "answered 429"),
        ((401, b"{}"), "MODERATION_TOKEN"),
        ((302, b""), "answered 302"),
    ],
)
def test_an_answer_that_is_none_is_a_503_with_a_sentence(client, judge, saying, sentence):
    judge.saying = saying
    assert sentence in str(unavailable(client))


def test_what_the_server_finds_wrong_with_the_texts_is_the_callers_to_mend(client, judge):
    judge.saying = (400, b'{"error": {"message": "too long"}}')
    with pytest.raises(openai.BadRequestError) as refused:
        client.moderations.create(input="x")
    assert "too long" in str(refused.value) and refused.value.param == "input"


def test_a_slow_server_holds_up_nobody_else(client, judge, studio, make_key):
    headers = {"Authorization": f"Bearer {make_key()}"}
    judge.slow.clear()
    with ThreadPoolExecutor(40) as threads:
        asked = [threads.submit(client.moderations.create, input="good") for _ in range(40)]
        until(lambda: len(judge.asked) == 40)
        assert httpx.get(f"{studio}/v1/models", headers=headers, timeout=60).status_code == 200
        assert not any(each.done() for each in asked)
        judge.slow.set()
        assert not any(each.result().results[0].flagged for each in asked)


def test_who_has_no_key_asks_nobody(judge, studio):
    wrong = {"Authorization": "Bearer wrong"}
    answer = httpx.post(f"{studio}/v1/moderations", json={"input": "x"}, headers=wrong, timeout=60)
    assert answer.status_code == 401 and judge.asked == []


def log() -> list[tuple[str, str, str, str, int]]:
    columns = ("endpoint", "judge", "state", "error_code", "counted_tokens")
    return list(Completion.objects.order_by("created_at").values_list(*columns))


def test_what_a_moderation_server_is_asked_stands_in_the_request_log_and_costs_nothing(client, judge, alice):
    asked = client.moderations.with_raw_response.create(input=["good", "b" * 7])
    judge.saying = (500, b"")
    unavailable(client)
    judge.saying = (400, b"{}")
    with pytest.raises(openai.BadRequestError):
        client.moderations.create(input="x", model="strict")
    client.moderations.create(input="You idiot.", model=MODEL)
    assert log() == [
        ("moderations", "omni-moderation-latest", "completed", "", 3),
        ("moderations", "omni-moderation-latest", "failed", "moderation_unavailable", 1),
        ("moderations", "strict", "refused", "invalid_value", 1),
    ]
    assert not UsageEvent.objects.exists() and not Completion.objects.filter(model__isnull=False).exists()
    member = Client()
    member.force_login(alice)
    page = member.get(f"/usage/requests?q={asked.headers['x-request-id']}").content.decode()
    assert "omni-moderation-latest" in page and "Answered" in page


def test_a_moderation_server_is_asked_within_the_keys_limits(client_for, make_key, judge):
    client = client_for(make_key("chat", requests_per_minute=3, tokens_per_minute=100))
    answer = client.moderations.with_raw_response.create(input="good")
    assert answer.headers["x-ratelimit-remaining-requests"] == "2"
    assert answer.headers["x-ratelimit-remaining-tokens"] == "99"
    with pytest.raises(openai.RateLimitError) as refused:
        client.moderations.create(input="x" * 400)
    assert refused.value.code == "rate_limit_exceeded" and refused.value.type == "tokens"
    for _ in range(2):
        client.moderations.create(input="good")
    with pytest.raises(openai.RateLimitError) as refused:
        client.moderations.create(input="good")
    assert refused.value.type == "requests" and len(judge.asked) == 3 == len(log())
    assert client.moderations.create(input="good", model=MODEL).model == MODEL  # the list costs nobody anything


def test_requests_at_a_time_are_counted_until_the_server_has_answered(client_for, make_key, judge):
    client = client_for(make_key("chat", parallel_requests=1))
    judge.slow.clear()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(client.moderations.create, input="good")
        until(lambda: judge.asked)
        with pytest.raises(openai.RateLimitError, match="1 request at a time"):
            client.moderations.create(input="good")
        judge.slow.set()
        first.result()
    client.moderations.create(input="good")


def test_who_leaves_is_noted_and_what_a_dead_process_left_open_is_closed(client_for, make_key, judge, studio):
    secret = make_key("chat", parallel_requests=1)
    judge.slow.clear()
    with asking(studio, "moderations", key=secret, input="good"):
        until(lambda: judge.asked)
    until(lambda: [row[2] for row in log()] == ["cancelled"])
    judge.slow.set()
    Completion.objects.update(state="running")
    assert end_lost() == 0
    Completion.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    assert end_lost() == 1 and [row[2:4] for row in log()] == [("failed", "never_ended")]
    client_for(secret).moderations.create(input="good")
