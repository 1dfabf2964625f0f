"""/api/v1/members and /api/v1/invitations, by programs."""

from __future__ import annotations

import pytest

from gptstudio.accounts import selectors, services

MEMBERS, INVITATIONS = "/api/v1/members", "/api/v1/invitations"


@pytest.fixture
def people(program):
    return program("members:write")


def test_a_program_invites_renews_and_withdraws(people, client, workspace) -> None:
    body = {"email": "dora@care.example", "role": "reviewer"}
    made = people("post", INVITATIONS, body)
    assert made.status_code == 201 and made["Cache-Control"] == "no-store"
    assert made.json() | {"state": "pending", "mailed": False, **body} == made.json()
    again = people("post", INVITATIONS, body)
    assert again.status_code == 409 and again.json()["param"] == "email"
    one = f"{INVITATIONS}/{made.json()['id']}"
    renewed = people("post", f"{one}/renew").json()
    assert client.get(made.json()["link"].removeprefix("http://testserver")).status_code == 404
    assert client.get(renewed["link"].removeprefix("http://testserver")).status_code == 200
    assert people("post", f"{one}/withdraw").json()["state"] == "withdrawn"
    (listed,) = people("get", INVITATIONS).json()["data"]
    assert listed["state"] == "withdrawn" and "link" not in listed


def test_members_are_listed_page_by_page_and_found_by_name(people, as_alice, bob, workspace) -> None:
    first = people("get", f"{MEMBERS}?limit=1").json()
    second = people("get", f"{MEMBERS}?limit=1&after={first['next']}").json()
    assert [each["email"] for each in first["data"] + second["data"]] == ["bob@care.example", "alice@care.example"]
    assert second["next"] is None
    assert [each["name"] for each in people("get", f"{MEMBERS}?q=ali").json()["data"]] == ["Alice"]
    assert people("get", f"{MEMBERS}?q=%00").json()["param"] == "q"


def test_a_program_changes_blocks_and_removes_a_member(people, bob, workspace) -> None:
    one = f"{MEMBERS}/{bob.id}"
    assert people("patch", one, {"role": "trainer"}).json()["role"] == "trainer"
    assert people("patch", one, {"role": "emperor"}).status_code == 400
    assert people("post", f"{one}/block").json()["blocked_at"] is not None
    assert people("post", f"{one}/unblock").json()["blocked_at"] is None
    assert people("delete", one).status_code == 204
    assert people("get", one).status_code == 404


def test_a_program_leaves_admins_alone(people, alice, workspace) -> None:
    for answer in (
        people("delete", f"{MEMBERS}/{alice.id}"),
        people("patch", f"{MEMBERS}/{alice.id}", {"role": "viewer"}),
        people("post", INVITATIONS, {"email": "eve@care.example", "role": "admin"}),
    ):
        assert answer.status_code == 403 and "A key may not say who is an admin" in answer.json()["title"]


def test_a_key_that_may_only_look_changes_nothing(program, bob, workspace) -> None:
    looking = program("members:read")
    assert looking("get", MEMBERS).status_code == 200
    assert looking("delete", f"{MEMBERS}/{bob.id}").status_code == 403
    assert program("chat")("get", MEMBERS).status_code == 403


def test_charlie_finds_nobody_of_another_workspace(program, as_charlie, bob, workspace) -> None:
    stranger = program("members:write", actor=as_charlie)
    assert stranger("get", f"{MEMBERS}/{bob.id}").status_code == 404
    assert stranger("delete", f"{MEMBERS}/{bob.id}").status_code == 404


def test_a_key_stops_with_the_member_who_made_it(program, as_alice, bob, workspace) -> None:
    services.change_role(as_alice, membership=selectors.person_of(workspace.id, bob.id), role="admin")
    of_bob = program("members:read", actor=selectors.actor_of_member(selectors.member_of(workspace.id, bob.id)))
    assert of_bob("get", MEMBERS).status_code == 200
    services.block_member(as_alice, membership=selectors.person_of(workspace.id, bob.id))
    assert of_bob("get", MEMBERS).status_code == 401
