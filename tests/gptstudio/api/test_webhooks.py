"""/api/v1/webhooks, from adding a URL to what became of a test."""

from __future__ import annotations

import pytest

from gptstudio.accounts.services import add_destination
from gptstudio.audit.models import AuditEvent
from gptstudio.notify.services import send_due, tell
from gptstudio.notify.webhooks import secret_of

HOOKS = "/api/v1/webhooks"


@pytest.fixture
def ask(program):
    return program("alerts:write", "jobs:read", "reviews:read")


@pytest.fixture
def made(ask):
    body = {"url": "http://127.0.0.1:1/in", "events": ["job.failed", "review.opened"]}
    answer = ask("post", HOOKS, body)
    assert answer.status_code == 201, answer.json()
    return answer.json()


def test_a_url_is_added_changed_tested_and_removed(ask, made, settings) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    one = f"{HOOKS}/{made['id']}"
    assert made["secret"] == secret_of(made["id"]) and made["events"] == ["job.failed", "review.opened"]
    assert ask("get", HOOKS).json()["data"] == [made] and ask("get", one).json() == made
    assert ask("patch", one, {"events": ["budget.reached"]}).json()["events"] == ["budget.reached"]
    sent = ask("post", f"{one}/test")
    assert sent.status_code == 202 and (sent.json()["event"], sent.json()["state"]) == ("test", "pending")
    send_due()
    [delivery] = ask("get", f"{one}/deliveries").json()["data"]
    assert (delivery["id"], delivery["attempts"]) == (sent.json()["id"], 1)
    assert delivery["answer"] == "No answer (ConnectionRefusedError)."
    assert ask("delete", one).status_code == 204 and ask("get", one).status_code == 404
    acts = ["destination.added", "destination.changed", "destination.tested", "destination.removed"]
    assert (
        list(AuditEvent.objects.filter(subject_id=made["id"]).order_by("id").values_list("action", flat=True)) == acts
    )


@pytest.mark.parametrize(
    "body",
    [{"url": "https://a.example/x"}, {"url": "https://a.example/x", "events": []}, {"url": "ftp://a/x", "events": ["job.failed"]},
     {"url": "https://a.example/x", "events": ["job.exploded"]}],
)  # fmt: skip
def test_what_is_no_webhook_is_refused(ask, body) -> None:
    assert ask("post", HOOKS, body).status_code == 400


def test_an_email_address_is_no_webhook(ask, as_alice, workspace) -> None:
    to = add_destination(as_alice, workspace_id=workspace.id, kind="email", address="ops@care.example")
    assert ask("get", f"{HOOKS}/{to.id}").status_code == 404 and ask("get", HOOKS).json() == {"data": []}


def test_a_stranger_finds_nothing_and_a_key_without_the_scope_is_refused(program, as_charlie, made) -> None:
    stranger, chatty = program("alerts:write", actor=as_charlie), program("chat")
    one = f"{HOOKS}/{made['id']}"
    for method, path in (
        ("get", one),
        ("patch", one),
        ("delete", one),
        ("post", f"{one}/test"),
        ("get", f"{one}/deliveries"),
    ):
        body = {"events": ["job.failed"]} if method == "patch" else None
        assert stranger(method, path, body).status_code == 404
        assert chatty(method, path, body).status_code == 403


@pytest.mark.parametrize("missing", ["jobs:read", "reviews:read"])
def test_a_key_has_nobody_told_of_more_than_it_may_see(program, ask, made, workspace, missing) -> None:
    blind = program("alerts:write", *({"jobs:read", "reviews:read"} - {missing}))
    hidden, seen = ("job.failed", "review.opened") if missing == "jobs:read" else ("review.opened", "job.failed")
    refused = blind("post", HOOKS, {"url": "https://a.example/x", "events": ["alert.began", hidden]})
    assert refused.status_code == 403 and "does not allow this" in refused.json()["detail"]
    assert blind("post", HOOKS, {"url": "https://a.example/x", "events": ["alert.began", seen]}).status_code == 201
    one = f"{HOOKS}/{made['id']}"
    later = hidden.replace("failed", "succeeded").replace("opened", "decided")
    assert blind("patch", one, {"events": [hidden, later]}).status_code == 403
    assert blind("patch", one, {"events": [hidden, "alert.ended"]}).status_code == 200, "it adds nothing hidden"
    tell(workspace_id=workspace.id, event=hidden, title="Told", data={"name": "secret"})
    for path in (f"{one}/deliveries", "/api/v1/alerts/deliveries"):
        assert blind("get", path).json()["data"] == [] and len(ask("get", path).json()["data"]) == 1
