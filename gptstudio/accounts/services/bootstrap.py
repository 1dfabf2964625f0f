"""A studio that is ready to use: an admin, a workspace, a key. Called again it changes nothing that stands."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from gptstudio.accounts import policies, selectors
from gptstudio.accounts.models import ApiKey, Membership, ReleasePolicy, Role, User, Workspace
from gptstudio.accounts.services.keys import issue_key, revoke_key
from gptstudio.accounts.services.workspaces import add_member, create_user, create_workspace, set_release_policy
from gptstudio.core.errors import Conflict

KEY_NAME = "bootstrap"


@dataclass(frozen=True, slots=True)
class Ready:
    """What stands after bootstrap."""

    user: User
    workspace: Workspace
    membership: Membership


@transaction.atomic
def bootstrap(*, email: str, workspace_name: str, release_policy: str | None = None) -> Ready:
    """Make what is missing of admin, workspace and membership. Without a policy a new workspace releases by itself
    (`automatic`), and one that stands keeps its own.
    """
    user = User.objects.filter(email__iexact=email).first() or create_user(email=email, is_staff=True)
    workspace = Workspace.objects.filter(name=workspace_name).first()
    if workspace is None:
        workspace = create_workspace(
            owner=user, name=workspace_name, release_policy=release_policy or ReleasePolicy.AUTOMATIC
        )
    studio = policies.system(workspace.id, label="bootstrap")
    membership = Membership.objects.filter(user=user, workspace=workspace).first()
    if membership is None:
        membership = add_member(studio, workspace_id=workspace.id, user=user, role=Role.ADMIN)
    if release_policy:
        set_release_policy(studio, workspace=workspace, policy=release_policy)
    return Ready(user, workspace, membership)


@transaction.atomic
def bootstrap_key(ready: Ready, *, rotate: bool) -> str:
    """An all-scope key. A second one needs `rotate`, which closes the first."""
    actor = selectors.actor_of_member(ready.membership)
    live = ApiKey.objects.filter(workspace=ready.workspace, name=KEY_NAME, revoked_at__isnull=True)
    if live.exists() and not rotate:
        raise Conflict(
            "This workspace has a bootstrap key already, and a key is shown only once.",
            fix="Add --rotate to close it and make a new one.",
        )
    for key in live:
        revoke_key(actor, key=key)
    _key, secret = issue_key(actor, workspace_id=ready.workspace.id, name=KEY_NAME, scopes=list(policies.SCOPES))
    return secret
