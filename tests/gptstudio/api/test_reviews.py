"""The review queue and the audit log for programs."""

from __future__ import annotations

import itertools
import json

import pytest
from django.test import Client

from gptstudio.accounts import selectors as people
from gptstudio.accounts import services as accounts
from gptstudio.accounts.policies import system
from gptstudio.audit.services import GENESIS, record
from gptstudio.review import services
from gptstudio.review.models import ReviewItem

pytestmark = pytest.mark.django_db
REVIEWS, AUDIT = "/api/v1/reviews", "/api/v1/audit"


@pytest.fixture
def item(workspace, bob, as_bob) -> ReviewItem:
    return services.open_item(
        as_bob, workspace_id=workspace.id, kind="model", subject_id="model_1", title="Tone", evidence={"rows": 4},
        makers=[bob.id],
    )  # fmt: skip


@pytest.fixture
def ask(program):
    return program("reviews:read", "reviews:write", "audit:read")


def test_an_item_is_read_decided_put_back_and_decided_again(ask, item) -> None:
    assert [each["id"] for each in ask("get", f"{REVIEWS}?state=pending").json()["data"]] == [item.id]
    one = f"{REVIEWS}/{item.id}"
    shown = ask("get", one).json()
    assert (shown["title"], shown["evidence"], shown["decisions"]) == ("Tone", {"rows": 4}, [])
    said = ask("post", f"{one}/decide", {"verdict": "rejected", "reason": "Wrong button."}).json()
    assert (said["state"], said["decisions"][0]["verdict"]) == ("rejected", "rejected")
    assert ask("get", f"{REVIEWS}?state=pending").json()["data"] == []
    assert ask("post", f"{one}/reopen", {"reason": "It was the wrong one."}).json()["state"] == "pending"
    assert ask("post", f"{one}/decide", {"verdict": "approved", "reason": "Fine."}).json()["state"] == "approved"
    verdicts = [each["verdict"] for each in ask("get", one).json()["decisions"]]
    assert verdicts == ["approved", "pending", "rejected"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"verdict": "approved"}, "reason"),
        ({"verdict": "maybe", "reason": "x"}, "verdict"),
        ({"reason": "x"}, "verdict"),
    ],
)
def test_a_decision_without_its_parts_is_none(ask, item, body, param) -> None:
    refused = ask("post", f"{REVIEWS}/{item.id}/decide", body)
    assert refused.status_code == 400 and param in refused.content.decode()
    item.refresh_from_db()
    assert item.state == "pending"


def test_a_key_of_who_made_it_cannot_approve_it(program, item, bob, workspace) -> None:
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=bob, role="admin")
    maker = program("reviews:write", actor=people.actor_of_member(people.membership(bob, workspace.id)))
    refused = maker("post", f"{REVIEWS}/{item.id}/decide", {"verdict": "approved", "reason": "Mine."})
    assert refused.status_code == 403 and "second person" in refused.json()["detail"]


def test_what_is_no_state_is_refused_and_what_another_workspace_has_is_not_found(
    ask, item, program, as_charlie
) -> None:
    assert ask("get", f"{REVIEWS}?state=odd").status_code == 400
    stranger = program("reviews:read", "reviews:write", actor=as_charlie)
    assert stranger("get", f"{REVIEWS}/{item.id}").status_code == 404
    assert stranger("post", f"{REVIEWS}/{item.id}/decide", {"verdict": "approved", "reason": "x"}).status_code == 404
    assert stranger("get", REVIEWS).json()["data"] == []


def test_an_item_is_taken_let_go_of_handed_up_and_handed_back(ask, item, workspace) -> None:
    one = f"{REVIEWS}/{item.id}"
    rita = accounts.create_user(email="rita@care.example", name="Rita")
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=rita, role="reviewer")
    as_rita = people.actor_of_member(people.membership(rita, workspace.id))
    services.claim_item(as_rita, item=item)
    shown = ask("get", one).json()
    assert shown["claimed_by"] == "rita@care.example" and shown["claimed_until"] > shown["created_at"]
    refused = ask("post", f"{one}/decide", {"verdict": "approved", "reason": "x"})
    assert (refused.status_code, refused.json()["code"]) == (409, "claimed")
    assert "rita@care.example has taken this item" in refused.json()["detail"]
    assert ask("post", f"{one}/claim", {}).status_code == 409
    mine = ask("post", f"{one}/claim", {"take_over": True}).json()
    assert mine["claimed_by"].startswith("program (")
    assert ask("post", f"{one}/release").json()["claimed_by"] is None
    assert ask("post", f"{one}/escalate", {}).status_code == 400
    up = ask("post", f"{one}/escalate", {"reason": "It names a customer."}).json()
    assert up["escalated_by"].startswith("program (") and up["escalation_reason"] == "It names a customer."
    assert [each["id"] for each in ask("get", f"{REVIEWS}?escalated=true").json()["data"]] == [item.id]
    assert ask("get", f"{REVIEWS}?escalated=false").json()["data"] == []
    assert ask("get", f"{REVIEWS}?escalated=perhaps").status_code == 400
    assert ask("post", f"{one}/hand-back", {"reason": "Yours."}).json()["escalated_at"] is None


def test_acts_on_another_workspaces_item_find_none(program, item, as_charlie) -> None:
    stranger = program("reviews:write", actor=as_charlie)
    for act in ("claim", "release", "escalate", "hand-back"):
        assert stranger("post", f"{REVIEWS}/{item.id}/{act}", {}).status_code == 404
    (refused,) = stranger("post", f"{REVIEWS}/decide", {"ids": [item.id], "verdict": "approved", "reason": "x"}).json()[
        "refused"
    ]
    assert refused["id"] == item.id and "There is no review item" in refused["refused"]


def test_many_are_decided_at_once_and_models_are_not(ask, as_bob, item) -> None:
    ids = [
        services.open_item(
            as_bob, workspace_id=as_bob.workspace_id, kind="guardrail", subject_id=f"req_{number}", title="Stopped",
            evidence={}, makers=[],
        ).id
        for number in range(3)
    ]  # fmt: skip
    answer = ask("post", f"{REVIEWS}/decide", {"ids": ids, "verdict": "approved"})
    assert answer.json() == {"decided": ids, "refused": []}
    refused = ask("post", f"{REVIEWS}/decide", {"ids": [item.id], "verdict": "approved", "reason": "x"})
    assert refused.status_code == 400 and "one by one" in refused.json()["detail"]
    assert len(ask("get", f"{REVIEWS}?kind=guardrail").json()["data"]) == 3


def test_the_queue_says_how_long_it_takes(ask, item) -> None:
    found = ask("get", f"{REVIEWS}/times").json()
    assert (found["waiting"], found["decided"], found["median_seconds"]) == (1, 0, None)
    ask("post", f"{REVIEWS}/{item.id}/decide", {"verdict": "approved", "reason": "Fine."})
    found = ask("get", f"{REVIEWS}/times").json()
    assert (found["waiting"], found["oldest_waiting_since"], found["decided"]) == (0, None, 1)
    assert found["median_seconds"] >= 0


def note(actor, workspace, number: int) -> None:
    record(
        actor, workspace_id=workspace.id, action="file.uploaded", subject_kind="file", subject_id=f"file-{number}",
        subject_label=f"tickets{number}.csv", data={"reason": "monthly"},
    )  # fmt: skip


def test_the_log_is_read_page_by_page_and_searched(ask, as_bob, workspace) -> None:
    for number in range(3):
        note(as_bob, workspace, number)
    first = ask("get", f"{AUDIT}?limit=2&q=tickets").json()
    assert [each["subject_id"] for each in first["data"]] == ["file-2", "file-1"]
    assert first["data"][0]["details"] == {"reason": "monthly"}
    rest = ask("get", f"{AUDIT}?limit=2&q=tickets&after={first['next']}").json()
    assert [each["subject_id"] for each in rest["data"]] == ["file-0"] and rest["next"] is None
    assert ask("get", f"{AUDIT}?q=tickets1").json()["data"][0]["subject_id"] == "file-1"
    for wrong in ("x", "-1", "9" * 30):
        assert ask("get", f"{AUDIT}?after={wrong}").status_code == 400


def test_the_exported_log_is_the_chain_from_its_beginning(transactional_db, ask, as_bob, workspace, alice) -> None:
    for number in range(3):
        note(as_bob, workspace, number)
    browser = Client()
    browser.force_login(alice)
    for answer in (ask("get", f"{AUDIT}/export"), browser.get("/activity/export")):
        assert answer["Content-Disposition"] == 'attachment; filename="audit.jsonl"'
        told = [json.loads(line) for line in b"".join(answer).splitlines()]
        assert told[0]["previous_hash"] == GENESIS and [each["subject_id"] for each in told][-3:] == [
            "file-0",
            "file-1",
            "file-2",
        ]
        assert all(one["hash"] == other["previous_hash"] for one, other in itertools.pairwise(told))
