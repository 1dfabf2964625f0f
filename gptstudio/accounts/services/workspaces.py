"""Making people and workspaces, and what holds for a whole workspace."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import slugify

from gptstudio.accounts import policies
from gptstudio.accounts.models import Membership, ReleasePolicy, Role, User, Workspace
from gptstudio.accounts.policies import Actor
from gptstudio.audit.services import record
from gptstudio.core.errors import Invalid
from gptstudio.core.zones import zone_named


def _free_slug(name: str) -> str:
    base = slugify(name)[:32] or "workspace"
    slug, number = base, 2
    while Workspace.objects.filter(slug=slug).exists():
        slug, number = f"{base}-{number}", number + 1
    return slug


def create_user(*, email: str, name: str = "", password: str | None = None, is_staff: bool = False) -> User:
    """A person, without a workspace yet. Without a password they sign in by link."""
    return User.objects.create_user(email, password, name=name, is_staff=is_staff)


def spend_sign_in(user: User) -> bool:
    """Note that they sign in now. False where they did since they were read, so that a link serves once."""
    return User.objects.filter(id=user.id, last_login=user.last_login).update(last_login=timezone.now()) == 1


def choose_time_zone(user: User, *, name: str) -> None:
    """Times are shown to them in this zone from now on; without a name in the one that their browser tells."""
    if name and zone_named(name) is None:
        raise Invalid(f"{name[:64]!r} is no time zone.", fix="Choose one like Europe/Berlin.", param="time_zone")
    User.objects.filter(id=user.id).update(time_zone=name)


@transaction.atomic
def create_workspace(*, owner: User, name: str, release_policy: str = ReleasePolicy.TWO_PERSON) -> Workspace:
    """A workspace with `owner` as its first admin."""
    if not name.strip():
        raise Invalid("The workspace has no name.", fix="Use the name of your team or organisation.", param="name")
    workspace = Workspace.objects.create(
        name=name.strip()[:80], slug=_free_slug(name), release_policy=ReleasePolicy(release_policy)
    )
    Membership.objects.create(workspace=workspace, user=owner, role=Role.ADMIN)
    if not owner.is_staff:
        owner.is_staff = True  # admins and reviewers may open the console; it shows them their workspaces alone
        owner.save(update_fields=["is_staff"])
    actor = Actor(kind="user", id=owner.id, label=owner.email, workspace_id=workspace.id, user_id=owner.id)
    record(
        actor,
        workspace_id=workspace.id,
        action="workspace.created",
        subject_kind="workspace",
        subject_id=workspace.id,
        subject_label=workspace.name,
        data={"release_policy": workspace.release_policy},
    )
    return workspace


@transaction.atomic
def set_release_policy(actor: Actor, *, workspace: Workspace, policy: str) -> Workspace:
    """Choose who may release models from now on."""
    policies.require(actor, "settings.edit", workspace_id=workspace.id)
    before = workspace.release_policy
    workspace.release_policy = ReleasePolicy(policy)
    workspace.save(update_fields=["release_policy"])
    if before != workspace.release_policy:
        record(
            actor,
            workspace_id=workspace.id,
            action="workspace.release_policy",
            subject_kind="workspace",
            subject_id=workspace.id,
            subject_label=workspace.name,
            data={"from": before, "to": workspace.release_policy},
        )
    return workspace


def lock_rules(workspace_id: str) -> int:
    """The workspace's `rules_epoch`, which nobody else raises before the transaction ends."""
    return Workspace.objects.select_for_update().get(id=workspace_id).rules_epoch


def raise_rules_epoch(workspace_id: str) -> None:
    """What the workspace's requests are held to has changed: nobody goes on by what they kept of it."""
    Workspace.objects.filter(id=workspace_id).update(rules_epoch=F("rules_epoch") + 1)
