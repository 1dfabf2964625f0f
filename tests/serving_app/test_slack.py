"""Slack: signed events in, an answer out by its API, for which a small real server stands in.

The events have the documented shapes of https://docs.slack.dev/apis/events-api.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from gptstudio.core import queue
from serving_app import services, tasks
from serving_app.models import Completion, EngineReplica, SlackQuestion, UsageEvent
from serving_app.services import slack
from serving_app.slack_client import is_signed
from tests.serving_app.conftest import write_tiny_model

SECRET, TOKEN = "8f742231b10e8888abcd99yyyzzz85a5", "xoxb-not-real"
EVENTS: dict[str, Any] = json.loads((Path(__file__).parent / "slack" / "events.json").read_text(encoding="utf-8"))


@dataclass
class Api:
    """What was posted; `says` is what it answers next, `status` with which status."""

    url: str = ""
    says: dict[str, Any] = field(default_factory=lambda: {"ok": True})
    status: int = 200
    posted: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its answers are short, for they are waited for."""
    return write_tiny_model(tmp_path_factory.mktemp("brief") / "model", seed=0, positions=256)


@pytest.fixture
def api(settings) -> Iterator[Api]:
    """A server in the place of https://slack.com/api."""
    found = Api()

    class Methods(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.posted.append((self.path, self.headers["Authorization"], body))
            self.send_response(found.status)
            self.end_headers()
            self.wfile.write(json.dumps(found.says).encode())

        def log_message(self, *_arguments) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Methods)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    found.url = settings.SLACK_API_URL = f"http://127.0.0.1:{server.server_port}/api/"
    settings.SLACK_SIGNING_SECRET, settings.SLACK_BOT_TOKEN = SECRET, TOKEN
    settings.SLACK_KEY = "sk-studio-none"
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def woken(monkeypatch) -> list[str]:
    """The questions for which a worker was woken."""
    found: list[str] = []
    monkeypatch.setattr(
        queue, "_send", lambda task, subject_id, _queue: found.append(subject_id) if task == slack.TASK else None
    )
    return found


def send(event: Any, *, secret: str = SECRET, at: float | None = None, **headers: str):
    """An event as Slack sends it."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    timestamp = str(int(time.time() if at is None else at))
    base = f"v0:{timestamp}:".encode() + body
    signed = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signed, **headers}
    return Client().post("/hooks/slack", body, content_type="application/json", headers=headers)


def test_the_signature_is_the_one_of_slacks_own_example(settings) -> None:
    settings.SLACK_SIGNING_SECRET = SECRET
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&"
        b"user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2F"
        b"commands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert is_signed(body, timestamp="1531420618", signature=signature, now=1531420618 + 299)
    assert not is_signed(body, timestamp="1531420618", signature=signature, now=1531420618 + 301)
    assert not is_signed(body + b"&", timestamp="1531420618", signature=signature, now=1531420618)


def test_the_address_is_confirmed_by_its_challenge(api) -> None:
    answer = send(EVENTS["verification"])
    assert (answer.status_code, answer.json()) == (200, {"challenge": EVENTS["verification"]["challenge"]})


@pytest.mark.django_db
@pytest.mark.parametrize(
    "forged",
    [{"secret": "another"}, {"at": 1531420618}, {"at": 4_000_000_000}, {"X-Slack-Signature": "v0="},
     {"X-Slack-Signature": "v0=é"}, {"X-Slack-Request-Timestamp": "soon"}],
    ids=str,
)  # fmt: skip
def test_what_slack_has_not_signed_just_now_is_refused(api, woken, forged) -> None:
    answer = send(EVENTS["mention"], **forged)
    assert answer.status_code == 401 and "not signed by Slack" in answer.json()["error"]
    assert not SlackQuestion.objects.exists()


def test_a_studio_without_slack_says_so(settings) -> None:
    settings.SLACK_SIGNING_SECRET = ""
    assert send(EVENTS["verification"]).status_code == 404 and Client().get("/hooks/slack").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_a_mention_and_a_direct_message_are_questions_and_nothing_else_is(api, woken) -> None:
    for event in EVENTS.values():
        assert send(event).status_code == 200
    found = {each.event_id: (each.channel, each.thread, each.text) for each in SlackQuestion.objects.all()}
    assert found == {
        "Ev0LAN670R": ("C0LAN2Q65", "1515449522.000016", "where is Tom & Ann's parcel? It was <urgent>"),
        "Ev0LAN671R": ("C0LAN2Q65", "1515449522.000016", "and  when?"),
        "Ev0PV52K25": ("D024BE91L", "1355517523.000005", "Hello there"),
    }
    assert sorted(woken) == sorted(SlackQuestion.objects.values_list("id", flat=True))


@pytest.mark.django_db(transaction=True)
def test_an_event_that_comes_again_is_taken_once(api, woken) -> None:
    for number in range(3):
        again = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"} if number else {}
        assert send(EVENTS["mention"], **again).status_code == 200
    assert len(woken) == SlackQuestion.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body", [b"[1]", b"{", b'{"type":"event_callback"}', b'{"type":"event_callback","event":[],"event_id":{}}',
             json.dumps({"type": "event_callback", "event_id": "E" * 200, "event": EVENTS["direct"]["event"]}).encode(),
             json.dumps({"type": "event_callback", "event_id": "E1", "event": {"type": "app_mention", "text": None}}).encode()],
)  # fmt: skip
def test_what_is_no_event_breaks_nothing(api, woken, body) -> None:
    assert send(body).status_code in (200, 400) and not SlackQuestion.objects.exists()


@pytest.mark.django_db
def test_a_sign_that_no_database_takes_is_left_out(api, woken) -> None:
    event = EVENTS["direct"]["event"]
    assert send({**EVENTS["direct"], "event": {**event, "text": "Hello\0 there"}}).status_code == 200
    assert SlackQuestion.objects.get().text == "Hello there"
    assert send({**EVENTS["direct"], "event_id": "E\0"}).status_code == 200 and SlackQuestion.objects.count() == 1


@pytest.fixture
def asked(api, woken, base_model, make_key, settings) -> str:
    """A question that was taken, in a studio whose Slack key asks the tiny model; its id."""
    settings.SLACK_KEY = make_key("chat", allowed_models=[base_model.name])
    send(EVENTS["mention"])
    return woken[0]


def test_the_answer_is_posted_in_its_thread_billed_to_the_key_and_the_words_are_forgotten(asked, api) -> None:
    tasks.answer_slack(asked)
    [(path, shown, body)] = api.posted
    assert (path, shown) == ("/api/chat.postMessage", f"Bearer {TOKEN}")
    assert (body["channel"], body["thread_ts"], body["unfurl_links"]) == ("C0LAN2Q65", "1515449522.000016", False)
    assert body["text"] and "<" not in body["text"]
    request = Completion.objects.get()
    assert request.api_key.name == "test" and UsageEvent.objects.filter(attempt_id=request.id, kind="settle").exists()
    question = SlackQuestion.objects.get()
    assert (question.state, question.text, question.answer) == ("answered", "", "")
    tasks.answer_slack(asked)
    assert len(api.posted) == 1, "a message that came twice answers once"


def expire() -> None:
    SlackQuestion.objects.update(
        lease_until=timezone.now() - timedelta(seconds=1), created_at=timezone.now() - timedelta(minutes=1)
    )


def test_when_slack_is_away_it_is_posted_later_and_not_asked_again(asked, api, woken) -> None:
    api.status = 503
    tasks.answer_slack(asked)
    question = SlackQuestion.objects.get()
    assert question.state == "pending" and question.answer and question.problem == "Slack answered 503."
    assert slack.requeue_questions() == 0, "not while the lease runs"
    expire()
    assert slack.requeue_questions() == 1 and woken[-1] == asked
    api.status = 200
    tasks.answer_slack(asked)
    assert SlackQuestion.objects.get().state == "answered" and Completion.objects.count() == 1
    assert api.posted[0][2]["text"] == api.posted[1][2]["text"]


def test_a_refusal_for_good_is_given_up_with_its_reason(asked, api) -> None:
    api.says = {"ok": False, "error": "not_in_channel"}
    tasks.answer_slack(asked)
    question = SlackQuestion.objects.get()
    assert (
        question.state == "given_up" and "not_in_channel" in question.problem and question.text == question.answer == ""
    )


def test_it_is_given_up_after_five_tries(asked, api) -> None:
    api.says = {"ok": False, "error": "ratelimited"}
    for _ in range(slack.MOST_TRIES + 1):
        tasks.answer_slack(asked)
        expire()
    assert SlackQuestion.objects.get().state == "given_up" and len(api.posted) == slack.MOST_TRIES


def test_why_nothing_can_be_answered_is_said_in_the_thread(asked, api, settings, make_key) -> None:
    settings.SLACK_KEY = make_key("chat")
    tasks.answer_slack(asked)
    assert "bound to one model or deployment" in api.posted[0][2]["text"]
    assert not Completion.objects.exists()


def test_a_spent_budget_is_said_in_the_thread(asked, api, settings, make_key, base_model) -> None:
    settings.SLACK_KEY = make_key("chat", allowed_models=[base_model.name], budget_micro=0)
    tasks.answer_slack(asked)
    assert "budget" in api.posted[0][2]["text"].lower()


@pytest.mark.django_db
def test_an_answer_mentions_nobody(api, monkeypatch) -> None:
    question = SlackQuestion.objects.create(
        event_id="E1", channel="C1", thread="1.2", text="?", answer="<!channel> & <@U1>"
    )
    services.answer_question(services.claim_question(question.id, holder="test"))
    assert api.posted[0][2]["text"] == "&lt;!channel&gt; &amp; &lt;@U1&gt;"


@pytest.mark.django_db
def test_old_events_are_forgotten_and_waiting_ones_are_not(api, woken) -> None:
    for event in ("mention", "direct"):
        slack.take_event(EVENTS[event])
    SlackQuestion.objects.update(created_at=timezone.now() - timedelta(days=2))
    SlackQuestion.objects.filter(event_id="Ev0PV52K25").update(state="answered")
    assert slack.drop_old_questions() == 1 and SlackQuestion.objects.get().event_id == "Ev0LAN670R"


def test_what_passes_is_waited_for_before_it_is_said(asked, api, base_model) -> None:
    EngineReplica.objects.update(is_up=False)
    for tries in range(1, slack.MOST_TRIES):
        tasks.answer_slack(asked)
        question = SlackQuestion.objects.get()
        assert (question.state, question.attempt, question.answer) == ("pending", tries, "") and not api.posted
        expire()
    assert "No inference engine is up." in SlackQuestion.objects.get().problem
    EngineReplica.objects.update(is_up=True)
    tasks.answer_slack(asked)
    assert SlackQuestion.objects.get().state == "answered" and "engine" not in api.posted[0][2]["text"]
