"""Kill switch, paused keys and incidents for programs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gptstudio.accounts import services as accounts
from gptstudio.audit.services import record

pytestmark = pytest.mark.django_db
INCIDENTS = "/api/v1/incidents"


def test_a_deployment_is_stopped_and_lifted(world, program, as_charlie) -> None:
    ask, one = program("deployments:write", "deployments:read"), f"/api/v1/deployments/{world.deployment.id}"
    assert ask("post", f"{one}/stop", {}).status_code == 400
    stopped = ask("post", f"{one}/stop", {"reason": "It tells addresses."}).json()["stopped"]
    assert stopped["reason"] == "It tells addresses." and stopped["by"].startswith("program (")
    assert ask("get", one).json()["stopped"] == stopped
    assert ask("post", f"{one}/stop", {"reason": "Again."}).status_code == 409
    assert ask("post", f"{one}/lift", {"reason": "Mended."}).json()["stopped"] is None
    stranger = program("deployments:write", actor=as_charlie)
    for act in ("stop", "lift"):
        assert stranger("post", f"{one}/{act}", {"reason": "x"}).status_code == 404


def test_a_key_is_paused_and_resumed(as_alice, program, as_charlie) -> None:
    key, _secret = accounts.issue_key(as_alice, workspace_id=as_alice.workspace_id, name="shop", scopes=["chat"])
    one, ask = f"/api/v1/api-keys/{key.id}", program("keys:write")
    assert ask("post", f"{one}/pause", {}).status_code == 400
    paused = ask("post", f"{one}/pause", {"reason": "It asks in a loop."}).json()
    assert (paused["live"], paused["paused_reason"]) == (False, "It asks in a loop.")
    assert ask("post", f"{one}/resume", {"reason": "Fine."}).json()["live"] is True
    stranger = program("keys:write", actor=as_charlie)
    for act in ("pause", "resume"):
        assert stranger("post", f"{one}/{act}", {"reason": "x"}).status_code == 404


def test_incidents_are_read_page_by_page_and_narrowed(as_alice, program, as_charlie) -> None:
    key, _secret = accounts.issue_key(as_alice, workspace_id=as_alice.workspace_id, name="shop", scopes=["chat"])
    accounts.pause_key(as_alice, key=key, reason="It asks in a loop.")
    for number in range(2):
        record(
            as_alice, workspace_id=as_alice.workspace_id, action="alert.began", subject_kind="rule",
            subject_id=f"rule_{number}", subject_label="Requests fail", data={"detail": "12 % failed"},
        )  # fmt: skip
    ask = program("audit:read")
    first = ask("get", f"{INCIDENTS}?limit=2").json()
    rest = ask("get", f"{INCIDENTS}?limit=2&after={first['next']}").json()
    found = first["data"] + rest["data"]
    assert [(each["kind"], each["why"]) for each in found] == [
        ("alert", "12 % failed"),
        ("alert", "12 % failed"),
        ("key", "It asks in a loop."),
    ]
    assert rest["next"] is None
    assert [each["action"] for each in ask("get", f"{INCIDENTS}?kind=key").json()["data"]] == ["key.paused"]
    later = (timezone.now() + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert ask("get", f"{INCIDENTS}?since={later}").json()["data"] == []
    for wrong in ("kind=odd", "since=yesterday", "after=x"):
        assert ask("get", f"{INCIDENTS}?{wrong}").status_code == 400
    assert program("audit:read", actor=as_charlie)("get", INCIDENTS).json()["data"] == []
