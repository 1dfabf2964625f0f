"""Who is in a workspace and as what: let in, changed, blocked, removed, gone. Each act can be undone by another of these, or
by an invitation.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts import policies, selectors
from gptstudio.accounts.models import Membership, Role, User, Workspace
from gptstudio.accounts.policies import Actor
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict, NotAllowed

IN_CONSOLE = (Role.ADMIN, Role.REVIEWER)


def person(user: User, workspace_id: str) -> Actor:
    """Somebody who acts in a workspace of which they are no member, or not yet."""
    return Actor(kind="user", id=user.id, label=user.email, workspace_id=workspace_id, user_id=user.id)


def lock_members(workspace_id: str) -> Workspace:
    """Whoever changes the members of a workspace waits here, so that two changes together leave no workspace without an
    admin. Inside a transaction.
    """
    return Workspace.objects.select_for_update(no_key=True).get(id=workspace_id)


def put(*, workspace_id: str, user: User, role: str) -> Membership:
    """The row, with what the role opens besides."""
    membership, _ = Membership.with_blocked.update_or_create(
        workspace_id=workspace_id, user=user, defaults={"role": Role(role)}
    )
    if role in IN_CONSOLE and not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    return membership


def check_role(actor: Actor, role: str) -> None:
    """Raise NotAllowed where a program would make or unmake an admin: people do that, signed in."""
    if actor.kind == "key" and role == Role.ADMIN:
        raise NotAllowed(
            "A key may not say who is an admin.", fix="An admin of the workspace can do this on the page Members."
        )


def audit(actor: Actor, user: User, action: str, *, workspace_id: str, **data: Any) -> None:
    """The line about a member."""
    record(
        actor,
        workspace_id=workspace_id,
        action=action,
        subject_kind="user",
        subject_id=user.id,
        subject_label=user.email,
        data=data,
    )


@transaction.atomic
def add_member(actor: Actor, *, workspace_id: str, user: User, role: str) -> Membership:
    """Put a person into a workspace, or change what they are there."""
    policies.require(actor, "members.edit", workspace_id=workspace_id)
    lock_members(workspace_id)
    before = selectors.people_of(workspace_id).filter(user=user).first()
    if before is not None and role != Role.ADMIN:
        _check_an_admin_stays(before)
    membership = put(workspace_id=workspace_id, user=user, role=role)
    if before is not None:
        _close_console(user, before=before.role)
    audit(actor, user, "member.set", workspace_id=workspace_id, role=role)
    return membership


@transaction.atomic
def change_role(actor: Actor, *, membership: Membership, role: str) -> Membership:
    """What a member may do from now on; keys that they made follow. Raises Conflict for the only admin."""
    found = _locked(actor, membership)
    check_role(actor, role)
    before = found.role
    if before == role:
        return found
    if before == Role.ADMIN:
        _check_an_admin_stays(found)
    changed = put(workspace_id=found.workspace_id, user=found.user, role=role)
    _close_console(found.user, before=before)
    audit(actor, found.user, "member.set", workspace_id=found.workspace_id, role=role, before=before)
    return changed


@transaction.atomic
def remove_member(actor: Actor, *, membership: Membership) -> None:
    """They see nothing of the workspace any more, and keys that they made open nothing. What they made stays."""
    found = _locked(actor, membership)
    _end(found)
    audit(actor, found.user, "member.removed", workspace_id=found.workspace_id, role=found.role)


@transaction.atomic
def block_member(actor: Actor, *, membership: Membership) -> Membership:
    """The same as removing, but that they stay in the list, can come back by no invitation, and get all back at once when
    they are unblocked. Blocking twice changes nothing.
    """
    found = _locked(actor, membership)
    if found.user_id == actor.user_id:
        raise Conflict("You cannot block yourself.", fix="Leave the workspace instead.")
    if found.blocked_at is not None:
        return found
    _check_an_admin_stays(found)
    found.blocked_at = timezone.now()
    found.save(update_fields=["blocked_at"])
    _close_console(found.user, before=found.role)
    audit(actor, found.user, "member.blocked", workspace_id=found.workspace_id, role=found.role)
    return found


@transaction.atomic
def unblock_member(actor: Actor, *, membership: Membership) -> Membership:
    """Let a blocked member in again, with the role and the keys of before."""
    found = _locked(actor, membership)
    if found.blocked_at is None:
        return found
    found.blocked_at = None
    found.save(update_fields=["blocked_at"])
    put(workspace_id=found.workspace_id, user=found.user, role=found.role)
    audit(actor, found.user, "member.unblocked", workspace_id=found.workspace_id, role=found.role)
    return found


@transaction.atomic
def leave_workspace(actor: Actor) -> None:
    """A member goes by themselves. Raises Conflict for the only admin."""
    lock_members(actor.workspace_id)
    found = selectors.member_of(actor.workspace_id, actor.user_id or "")
    _end(found)
    audit(actor, found.user, "member.left", workspace_id=found.workspace_id, role=found.role)


def _locked(actor: Actor, membership: Membership) -> Membership:
    """The membership as it is now, once it is this actor's turn to change it."""
    workspace_id = membership.workspace_id
    policies.require(actor, "members.edit", workspace_id=workspace_id)
    lock_members(workspace_id)
    found = selectors.person_of(workspace_id, membership.user_id)
    check_role(actor, found.role)
    return found


def _end(found: Membership) -> None:
    _check_an_admin_stays(found)
    found.delete()
    _close_console(found.user, before=found.role)


def _check_an_admin_stays(found: Membership) -> None:
    if found.role != Role.ADMIN or found.blocked_at is not None:
        return
    others = Membership.objects.filter(workspace_id=found.workspace_id, role=Role.ADMIN, user__is_active=True)
    if not others.exclude(user_id=found.user_id).exists():
        raise Conflict(
            f"{found.user.email} is the only admin of this workspace.", fix="Make somebody else an admin first."
        )


def _close_console(user: User, *, before: str) -> None:
    """The console, which a role opened, closes with the last such role; to superusers it is open anyway."""
    if before not in IN_CONSOLE or user.is_superuser or not user.is_staff:
        return
    if not Membership.objects.filter(user=user, role__in=IN_CONSOLE).exists():
        user.is_staff = False
        user.save(update_fields=["is_staff"])
