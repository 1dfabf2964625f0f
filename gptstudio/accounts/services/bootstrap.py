"""A studio that is ready to use: an admin, a workspace, a key. Called again it changes nothing that stands."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from gptstudio.accounts import policies, selectors
from gptstudio.accounts.models import ApiKey, Membership, ReleasePolicy, Role, User, Workspace
from gptstudio.accounts.services.keys import issue_key, revoke_key
from gptstudio.accounts.services.workspaces import create_user, create_workspace, set_release_policy
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
    (`automatic`), and one that stands keeps its own. Raises Conflict where others have a workspace of that name.
    """
    user = User.objects.filter(email__iexact=email).first()
    mine = Membership.objects.filter(user=user, workspace__name=workspace_name, role=Role.ADMIN) if user else None
    membership = mine.select_related("workspace", "user").first() if mine is not None else None
    if membership is None:
        membership = _found(user, email=email, workspace_name=workspace_name, release_policy=release_policy)
    if release_policy:
        studio = policies.system(membership.workspace_id, label="bootstrap")
        set_release_policy(studio, workspace=membership.workspace, policy=release_policy)
    return Ready(membership.user, membership.workspace, membership)


def _found(user: User | None, *, email: str, workspace_name: str, release_policy: str | None) -> Membership:
    """A new workspace with its admin. Raises Conflict where others have a workspace of that name.

    Whoever signed up with this address may be anybody: sign-up proves no address where no e-mail is sent. So a password
    that was chosen there opens nothing any more; the one-time link that the operator gets is the way in.
    """
    if Workspace.objects.filter(name=workspace_name).exists():
        raise Conflict(
            f"There is a workspace {workspace_name} already, and {email} is not its admin.",
            fix="Name another workspace, or have its admin invite this person.",
        )
    if user is None:
        user = create_user(email=email, is_staff=True)
    elif user.has_usable_password():
        user.set_unusable_password()  # sessions end with it
        user.save(update_fields=["password"])
    workspace = create_workspace(
        owner=user, name=workspace_name, release_policy=release_policy or ReleasePolicy.AUTOMATIC
    )
    return Membership.objects.select_related("workspace", "user").get(user=user, workspace=workspace)


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
