"""Roles that change, people who are blocked, removed or leave: what ends with it, and that an admin stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from gptstudio.accounts import selectors, services
from gptstudio.accounts.models import Membership, User
from gptstudio.accounts.policies import SCOPES
from gptstudio.audit.models import AuditEvent
from gptstudio.core.console import workspaces_in_console
from gptstudio.core.errors import Conflict, NotAllowed, NotFound


@pytest.fixture
def dora(as_alice, workspace) -> User:
    """A second admin."""
    user = services.create_user(email="dora@care.example", name="Dora", password="correct horse battery")
    services.add_member(as_alice, workspace_id=workspace.id, user=user, role="admin")
    return user


@pytest.fixture
def of_dora(dora, workspace):
    """A key that Dora made, with its secret."""
    actor = selectors.actor_of_member(selectors.member_of(workspace.id, dora.id))
    return services.issue_key(actor, workspace_id=workspace.id, name="shop", scopes=["chat", "keys:write"])


def member(user, workspace) -> Membership:
    return selectors.person_of(workspace.id, user.id)


def acts() -> list[str]:
    return list(AuditEvent.objects.filter(action__startswith="member.").order_by("id").values_list("action", flat=True))


def test_a_role_holds_at_once_and_the_console_goes_with_it(as_alice, bob, workspace, rf) -> None:
    services.change_role(as_alice, membership=member(bob, workspace), role="reviewer")
    assert User.objects.get(id=bob.id).is_staff
    services.change_role(as_alice, membership=member(bob, workspace), role="viewer")
    assert not User.objects.get(id=bob.id).is_staff
    assert not selectors.actor_of_member(member(bob, workspace)).may("datasets.edit")


def test_the_console_stays_with_a_role_elsewhere_and_with_superusers(as_alice, bob, dora, workspace) -> None:
    services.create_workspace(owner=dora, name="Other")
    services.change_role(as_alice, membership=member(dora, workspace), role="viewer")
    assert User.objects.get(id=dora.id).is_staff
    User.objects.filter(id=bob.id).update(is_staff=True, is_superuser=True)
    services.change_role(as_alice, membership=member(bob, workspace), role="reviewer")
    services.remove_member(as_alice, membership=member(bob, workspace))
    assert User.objects.get(id=bob.id).is_staff


def test_the_only_admin_can_neither_step_down_nor_go(as_alice, alice, bob, workspace) -> None:
    mine = member(alice, workspace)
    for refused in (
        lambda: services.change_role(as_alice, membership=mine, role="viewer"),
        lambda: services.remove_member(as_alice, membership=mine),
        lambda: services.leave_workspace(as_alice),
        lambda: services.add_member(as_alice, workspace_id=workspace.id, user=alice, role="viewer"),
    ):
        with pytest.raises(Conflict, match="only admin of this workspace. Make somebody else an admin first"):
            refused()
    assert member(alice, workspace).role == "admin"


def test_a_blocked_admin_does_not_count_as_one(as_alice, dora, workspace) -> None:
    services.block_member(as_alice, membership=member(dora, workspace))
    with pytest.raises(Conflict, match="only admin"):
        services.leave_workspace(as_alice)


def test_a_removed_member_is_none_and_what_they_did_stays_in_the_log(as_alice, bob, as_bob, workspace) -> None:
    services.remove_member(as_alice, membership=member(bob, workspace))
    assert selectors.membership(bob, workspace.id) is None
    assert acts() == ["member.set", "member.removed"]
    with pytest.raises(NotFound):
        services.remove_member(as_alice, membership=Membership(workspace=workspace, user=bob))


def test_a_blocked_member_is_let_in_nowhere_and_comes_back_as_they_were(as_alice, dora, workspace, rf) -> None:
    request = rf.get("/admin/")
    request.user = dora
    for _ in range(2):
        services.block_member(as_alice, membership=member(dora, workspace))
    assert selectors.membership(dora, workspace.id) is None
    assert workspaces_in_console(request) == []
    assert not User.objects.get(id=dora.id).is_staff
    services.unblock_member(as_alice, membership=member(dora, workspace))
    assert selectors.membership(dora, workspace.id).role == "admin"
    assert User.objects.get(id=dora.id).is_staff
    assert acts()[-2:] == ["member.blocked", "member.unblocked"]


def test_nobody_blocks_themselves(as_alice, alice, dora, workspace) -> None:
    with pytest.raises(Conflict, match="Leave the workspace instead"):
        services.block_member(as_alice, membership=member(alice, workspace))


def test_keys_stop_with_their_maker_and_open_again_with_them(as_alice, dora, of_dora, workspace) -> None:
    key, secret = of_dora
    assert selectors.live_key(secret) is not None
    services.block_member(as_alice, membership=member(dora, workspace))
    assert selectors.live_key(secret) is None
    services.unblock_member(as_alice, membership=member(dora, workspace))
    assert selectors.live_key(secret) is not None
    services.remove_member(as_alice, membership=member(dora, workspace))
    assert selectors.live_key(secret) is None
    assert selectors.key_of(workspace.id, key.id).is_orphaned
    with pytest.raises(Conflict, match="its maker is blocked or gone"):
        services.rotate_key(as_alice, key=key)


def test_a_key_may_never_do_more_than_its_maker_may_now(as_alice, dora, of_dora, workspace) -> None:
    _key, secret = of_dora
    assert selectors.actor_of_key(selectors.live_key(secret)).may("keys.edit")
    services.change_role(as_alice, membership=member(dora, workspace), role="viewer")
    after = selectors.actor_of_key(selectors.live_key(secret))
    assert after.may("models.use") and not after.may("keys.edit")


def test_somebody_leaves_by_themselves(as_bob, bob, workspace) -> None:
    services.leave_workspace(as_bob)
    assert selectors.membership(bob, workspace.id) is None
    assert acts()[-1] == "member.left"


def test_editors_and_strangers_change_nobody(as_bob, as_charlie, alice, workspace) -> None:
    for actor in (as_bob, as_charlie):
        for act in (services.remove_member, services.block_member, services.unblock_member):
            with pytest.raises(NotAllowed):
                act(actor, membership=member(alice, workspace))
        with pytest.raises(NotAllowed):
            services.change_role(actor, membership=member(alice, workspace), role="viewer")


def test_a_key_makes_and_unmakes_no_admin(as_alice, bob, dora, workspace) -> None:
    _key, secret = services.issue_key(as_alice, workspace_id=workspace.id, name="people", scopes=list(SCOPES))
    program = selectors.actor_of_key(selectors.live_key(secret))
    services.change_role(program, membership=member(bob, workspace), role="trainer")
    for refused in (
        lambda: services.change_role(program, membership=member(bob, workspace), role="admin"),
        lambda: services.change_role(program, membership=member(dora, workspace), role="viewer"),
        lambda: services.remove_member(program, membership=member(dora, workspace)),
        lambda: services.invite(program, workspace_id=workspace.id, email="eve@care.example", role="admin"),
    ):
        with pytest.raises(NotAllowed, match="A key may not say who is an admin"):
            refused()


def test_members_are_found_by_name_and_address_blocked_ones_too(as_alice, bob, dora, workspace) -> None:
    services.block_member(as_alice, membership=member(bob, workspace))
    assert [each.user.name for each in selectors.people_of(workspace.id, "BOB@")] == ["Bob"]
    assert [each.user.name for each in selectors.people_of(workspace.id, "dor")] == ["Dora"]


def test_two_admins_who_leave_at_once_leave_one(transactional_db, as_alice, dora, workspace) -> None:
    as_dora = selectors.actor_of_member(selectors.member_of(workspace.id, dora.id))

    def leave(actor) -> str:
        try:
            services.leave_workspace(actor)
        except Conflict as refused:
            return refused.message
        finally:
            connection.close()
        return "left"

    with ThreadPoolExecutor(2) as threads:
        said = sorted(threads.map(leave, (as_alice, as_dora)))
    assert said[1] == "left" and "is the only admin" in said[0]
    assert Membership.objects.filter(workspace=workspace, role="admin").count() == 1
