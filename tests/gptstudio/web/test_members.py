"""The page Members and the pages below it."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gptstudio.accounts import selectors, services
from gptstudio.accounts.models import Invitation

pytestmark = pytest.mark.django_db
PAGE = "/settings/members/"


def said(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def invite(at_alice: Client, email: str = "dora@care.example", role: str = "reviewer"):
    return at_alice.post(PAGE, {"email": email, "role": role})


def queries_of(client: Client) -> int:
    with CaptureQueriesContext(connection) as found:
        client.get(PAGE)
    return len(found)


def link_on(answer) -> str:
    return re.search(r"http://testserver(/invitations/[^<]+)<", answer.content.decode())[1]


def test_an_admin_invites_and_gets_the_link_once(at_alice) -> None:
    answer = invite(at_alice)
    assert answer["Cache-Control"] == "no-store"
    assert "dora@care.example is invited" in said(answer) and "No mail was sent" in said(answer)
    link = link_on(answer)
    page = at_alice.get(PAGE)
    assert "dora@care.example as reviewer" in said(page) and link not in page.content.decode()


def test_where_mail_is_set_up_the_link_is_mailed_too(at_alice, settings, mailoutbox) -> None:
    settings.EMAIL_URL = "smtp://mail.example"
    link = link_on(invite(at_alice))
    assert link in mailoutbox[0].body


def test_a_refused_invitation_keeps_the_form_and_says_why(at_alice, bob) -> None:
    answer = invite(at_alice, "bob@care.example")
    assert answer.status_code == 400 and "bob@care.example is a member already" in said(answer)
    assert 'value="bob@care.example"' in answer.content.decode()


def test_an_invitation_is_sent_again_and_withdrawn(at_alice) -> None:
    first = link_on(invite(at_alice))
    found = Invitation.objects.get()
    second = link_on(at_alice.post(f"/settings/invitations/{found.id}/resend"))
    assert first != second
    answer = at_alice.post(f"/settings/invitations/{found.id}/withdraw", follow=True)
    assert "opens nothing any more" in said(answer) and "as reviewer" not in said(answer)


def test_members_are_searched_and_paged(at_alice, as_alice, workspace) -> None:
    for number in range(26):
        user = services.create_user(email=f"p{number:02}@care.example")
        services.add_member(as_alice, workspace_id=workspace.id, user=user, role="viewer")
    assert "1 to 25 of 27 members" in said(at_alice.get(PAGE))
    found = said(at_alice.get(PAGE, {"q": "p17"}))
    assert "p17@care.example" in found and "p16@care.example" not in found
    assert "Nobody matches “nobody”" in said(at_alice.get(PAGE, {"q": "nobody"}))


def test_the_page_asks_the_database_as_often_for_many_as_for_few(at_alice, as_alice, workspace) -> None:
    few = queries_of(at_alice)
    for number in range(9):
        user = services.create_user(email=f"p{number}@care.example")
        services.add_member(as_alice, workspace_id=workspace.id, user=user, role="viewer")
        services.invite(as_alice, workspace_id=workspace.id, email=f"q{number}@care.example", role="viewer")
    assert queries_of(at_alice) == few


def test_an_admin_changes_a_role_blocks_lets_in_and_removes(at_alice, bob, at_bob, workspace) -> None:
    one = f"{PAGE}{bob.id}/"
    at_alice.post(one, {"role": "reviewer"})
    assert selectors.person_of(workspace.id, bob.id).role == "reviewer"
    assert "Unblocking gives them all back" in said(at_alice.post(f"{one}block", follow=True))
    assert at_bob.get("/settings/").headers["Location"] == "/workspaces/new", "the session acts nowhere any more"
    at_alice.post(f"{one}unblock")
    assert at_bob.get("/settings/").status_code == 200
    at_alice.post(f"{one}remove")
    assert at_bob.get("/settings/").status_code == 302
    log = said(at_alice.get("/activity/"))
    for act in ("Gave a role to", "Blocked", "Let in again", "Removed from the workspace"):
        assert act in log


def test_what_removing_does_is_said_before(at_alice, as_alice, bob, workspace) -> None:
    services.change_role(as_alice, membership=selectors.person_of(workspace.id, bob.id), role="admin")
    actor = selectors.actor_of_member(selectors.member_of(workspace.id, bob.id))
    services.issue_key(actor, workspace_id=workspace.id, name="web shop", scopes=["chat"])
    page = said(at_alice.get(f"{PAGE}{bob.id}/"))
    assert "Their data sets, models and log entries stay." in page
    assert "1 key that they made opens nothing from then on" in page and "web shop" in page
    at_alice.post(f"{PAGE}{bob.id}/remove")
    assert "its maker is blocked or gone" in said(at_alice.get("/keys/"))


def test_a_key_that_stopped_with_its_maker_can_be_revoked_for_good(at_alice, as_alice, bob, workspace) -> None:
    services.change_role(as_alice, membership=selectors.person_of(workspace.id, bob.id), role="admin")
    actor = selectors.actor_of_member(selectors.member_of(workspace.id, bob.id))
    key, _secret = services.issue_key(actor, workspace_id=workspace.id, name="web shop", scopes=["chat"])
    services.remove_member(as_alice, membership=selectors.person_of(workspace.id, bob.id))
    assert "Revoke web shop" in said(at_alice.get(f"/keys/{key.id}/"))


def test_the_only_admin_is_told_why_the_role_stays(at_alice, alice) -> None:
    answer = at_alice.post(f"{PAGE}{alice.id}/", {"role": "viewer"})
    assert answer.status_code == 400 and "Make somebody else an admin first" in said(answer)
    assert "Make somebody else an admin first" in said(at_alice.post("/settings/leave"))


def test_a_member_leaves(at_bob, bob, workspace) -> None:
    assert "Your data sets, models and log entries stay there" in said(at_bob.get("/settings/leave"))
    assert "You left Care" in said(at_bob.post("/settings/leave", follow=True))
    assert selectors.membership(bob, workspace.id) is None


def test_editors_see_no_members_and_charlie_finds_nobody(at_bob, alice, charlie, workspace) -> None:
    assert at_bob.get(PAGE).status_code == 403 and at_bob.get(f"{PAGE}{alice.id}/").status_code == 403
    stranger = Client()
    stranger.force_login(charlie)
    assert stranger.get(f"{PAGE}{alice.id}/").status_code == 404
    assert stranger.post(f"{PAGE}{alice.id}/remove").status_code == 404


def test_a_domain_is_opened_and_its_people_join(at_alice, alice, workspace) -> None:
    refused = at_alice.post(f"{PAGE}domains", {"domains": "care.example"})
    assert refused.status_code == 400 and "You have no verified address at care.example" in said(refused)
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True)
    at_alice.post(f"{PAGE}domains", {"domains": "care.example"})
    dora = services.create_user(email="dora@care.example")
    EmailAddress.objects.create(user=dora, email=dora.email, verified=True)
    at_dora = Client()
    at_dora.force_login(dora)
    assert "Care is open to people with your address" in said(at_dora.get("/workspaces/new"))
    at_dora.post("/workspaces/join", {"workspace": workspace.id})
    assert selectors.membership(dora, workspace.id).role == "viewer"


def test_settings_say_that_one_alone_releases_nothing(at_alice, as_alice) -> None:
    assert "nobody can release your models" in said(at_alice.get("/settings/"))
