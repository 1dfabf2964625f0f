"""Workspaces, members, and a studio that is ready after one command, however often it is given."""

from __future__ import annotations

from io import StringIO

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import CommandError, call_command

from gptstudio.accounts import policies, selectors, services
from gptstudio.accounts.models import ApiKey, Membership, Role, User, Workspace
from gptstudio.accounts.services import spend_sign_in
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, NotAllowed


def bootstrap(*more: str) -> list[str]:
    out = StringIO()
    call_command("bootstrap", "--email", "ada@care.example", "--workspace", "Care", *more, stdout=out)
    return out.getvalue().splitlines()


def test_a_workspace_begins_with_its_owner_as_admin_who_may_open_the_console(alice) -> None:
    made = services.create_workspace(owner=alice, name="  North ")
    assert (made.name, made.release_policy) == ("North", "two_person")
    assert selectors.membership(alice, made.id).role == Role.ADMIN
    assert User.objects.get(id=alice.id).is_staff


def test_workspaces_of_one_name_get_addresses_of_their_own(alice) -> None:
    slugs = [services.create_workspace(owner=alice, name="北 Büro").slug for _ in range(3)]
    assert slugs == ["buro", "buro-2", "buro-3"]


def test_only_an_admin_adds_members_or_changes_the_policy(as_bob, charlie, workspace) -> None:
    with pytest.raises(NotAllowed):
        services.add_member(as_bob, workspace_id=workspace.id, user=charlie, role="admin")
    with pytest.raises(NotAllowed):
        services.set_release_policy(as_bob, workspace=workspace, policy="automatic")


def test_a_member_added_again_changes_role_and_a_reviewer_may_open_the_console(as_alice, bob, workspace) -> None:
    services.add_member(as_alice, workspace_id=workspace.id, user=bob, role="reviewer")
    assert Membership.objects.get(user=bob, workspace=workspace).role == "reviewer"
    assert User.objects.get(id=bob.id).is_staff


def test_a_changed_policy_is_told_once(as_alice, workspace) -> None:
    for _ in range(2):
        services.set_release_policy(as_alice, workspace=workspace, policy="self")
    (line,) = AuditEvent.objects.filter(action="workspace.release_policy")
    assert line.data == {"from": "two_person", "to": "self"}


def test_a_person_without_the_named_workspace_lands_in_their_first(charlie, workspace) -> None:
    assert selectors.membership(charlie, workspace.id).workspace_id != workspace.id


def test_a_person_is_found_whatever_the_case_of_the_address(alice) -> None:
    assert selectors.user_by_email("ALICE@care.example") == alice


def test_bootstrap_again_changes_nothing_that_stands(db) -> None:
    first = services.bootstrap(email="ada@care.example", workspace_name="Care", release_policy="automatic")
    lines = AuditEvent.objects.count()
    again = services.bootstrap(email="ADA@care.example", workspace_name="Care", release_policy="automatic")
    assert (again.user, again.workspace) == (first.user, first.workspace)
    assert (User.objects.count(), Workspace.objects.count(), Membership.objects.count()) == (1, 1, 1)
    assert AuditEvent.objects.count() == lines


def test_bootstrap_does_not_hand_the_studio_to_whoever_signed_up_with_the_address_first(db, client) -> None:
    squatter = services.create_user(email="ada@care.example", password="chosen by somebody")
    client.force_login(squatter)
    assert client.get("/workspaces/").status_code == 200
    ready = services.bootstrap(email="ada@care.example", workspace_name="Care")
    assert ready.user == squatter and ready.membership.role == Role.ADMIN
    assert not User.objects.get(id=squatter.id).has_usable_password()
    assert client.get("/workspaces/").status_code == 302, "the session ended with the password"


def test_an_admin_who_bootstraps_again_keeps_their_password(alice, workspace) -> None:
    services.bootstrap(email="alice@care.example", workspace_name="Care")
    assert User.objects.get(id=alice.id).has_usable_password()


def test_bootstrap_does_not_move_into_a_workspace_of_others(workspace) -> None:
    with pytest.raises(Conflict, match="not its admin"):
        services.bootstrap(email="ada@care.example", workspace_name="Care")
    assert not User.objects.filter(email="ada@care.example").exists()


def test_a_second_key_needs_rotate_which_closes_the_first(db) -> None:
    ready = services.bootstrap(email="ada@care.example", workspace_name="Care", release_policy="automatic")
    first = services.bootstrap_key(ready, rotate=False)
    with pytest.raises(Conflict, match="--rotate"):
        services.bootstrap_key(ready, rotate=False)
    second = services.bootstrap_key(ready, rotate=True)
    assert selectors.live_key(first) is None
    assert set(selectors.live_key(second).scopes) == set(policies.SCOPES)


def test_the_command_prints_the_key_alone_on_the_last_line(starter) -> None:
    said = bootstrap("--print-key")
    assert selectors.live_key(said[-1]) is not None
    assert not any("sk-studio" in line for line in said[:-1])


def test_without_print_key_no_key_is_made(starter) -> None:
    assert not any("sk-" in line for line in bootstrap())
    assert not ApiKey.objects.exists()


def test_the_command_says_what_to_do_about_a_second_key(starter) -> None:
    bootstrap("--print-key")
    with pytest.raises(CommandError, match="Add --rotate"):
        bootstrap("--print-key")
    assert selectors.live_key(bootstrap("--print-key", "--rotate")[-1]) is not None


def printed_link() -> str:
    (line,) = [line for line in bootstrap() if "/sign-in/" in line]
    return "/sign-in/" + line.partition("/sign-in/")[2]


def test_the_printed_link_signs_in_once(starter, client) -> None:
    address = printed_link()
    assert "ada@care.example" in client.get(address).content.decode()
    assert "_auth_user_id" not in client.session, "to look at it, as a scanner of mail does, spends nothing"
    assert client.post(address).status_code == 302
    assert User.objects.get(id=client.session["_auth_user_id"]).email == "ada@care.example"
    client.logout()
    assert (client.get(address).status_code, client.post(address).status_code) == (403, 403)
    assert "_auth_user_id" not in client.session


def test_of_two_who_follow_a_link_at_once_one_is_let_in(starter) -> None:
    printed_link()
    first, second = User.objects.get(email="ada@care.example"), User.objects.get(email="ada@care.example")
    assert (spend_sign_in(first), spend_sign_in(second)) == (True, False)


def test_the_link_does_not_pass_over_a_second_factor(starter, client) -> None:
    address = printed_link()
    TOTP.activate(User.objects.get(email="ada@care.example"), generate_totp_secret())
    answer = client.post(address)
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert "_auth_user_id" not in client.session


def test_a_forged_link_signs_nobody_in(starter, client) -> None:
    assert client.get("/sign-in/forged:token:x").status_code == 403
    assert "_auth_user_id" not in client.session


def test_a_link_of_a_person_who_left_is_refused(starter, client) -> None:
    address = printed_link()
    User.objects.update(is_active=False)
    assert client.get(address).status_code == 403
