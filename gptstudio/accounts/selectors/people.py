"""Reading people, workspaces and who is a member of which."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from gptstudio.accounts import policies
from gptstudio.accounts.models import Membership, User, Workspace
from gptstudio.accounts.policies import Actor
from gptstudio.core.errors import NotFound
from gptstudio.core.statements import Reading
from gptstudio.notify.events import EVENTS, TEST
from gptstudio.notify.models import Delivery
from gptstudio.notify.selectors import deliveries_of

_BUDGETS = Reading(
    lambda workspace_id, user_id: Membership.objects.filter(workspace_id=workspace_id, user_id=user_id).values_list(
        "budget_micro", "monthly_budget_micro"
    ),
    str,
    str,
)


def actor_of_member(membership: Membership) -> Actor:
    """A person acting in a workspace."""
    return Actor(
        kind="user",
        id=membership.user_id,
        label=membership.user.email,
        workspace_id=membership.workspace_id,
        actions=policies.ROLES[membership.role],
        user_id=membership.user_id,
        role=membership.role,
    )


def memberships_of(user: User) -> QuerySet[Membership]:
    """Where a person is a member, oldest first."""
    return Membership.objects.filter(user=user).select_related("workspace", "user").order_by("created_at", "id")


def membership(user: User, workspace_id: str | None) -> Membership | None:
    """The person's membership in this workspace, or the first one when none is named or it is not theirs."""
    found = list(memberships_of(user))
    named = [each for each in found if each.workspace_id == workspace_id]
    return next(iter(named or found), None)


def workspace(workspace_id: str) -> Workspace:
    """A workspace by id."""
    found = Workspace.objects.filter(id=workspace_id).first()
    if found is None:
        raise NotFound(f"There is no workspace {workspace_id}.")
    return found


def workspace_by_slug(slug: str) -> Workspace | None:
    """A workspace by its short name."""
    return Workspace.objects.filter(slug=slug).first()


def members_of(workspace_id: str) -> QuerySet[Membership]:
    """Everybody in a workspace."""
    return Membership.objects.filter(workspace_id=workspace_id).select_related("user").order_by("user__email")


def member_budget(workspace_id: str, user_id: str) -> tuple[int | None, int | None]:
    """What a member may spend ever and in a month, in millionths; None: no limit, or no member."""
    return next(iter(_BUDGETS.objects(workspace_id, user_id)), (None, None))


def member_of(workspace_id: str, user_id: str) -> Membership:
    """One member of the workspace."""
    found = members_of(workspace_id).filter(user_id=user_id).first()
    if found is None:
        raise NotFound(f"There is no member {user_id} in this workspace.")
    return found


def people_of(workspace_id: str, wanted: str = "") -> QuerySet[Membership]:
    """Members of a workspace, blocked ones too, whose name or address holds these words."""
    found = Membership.with_blocked.filter(workspace_id=workspace_id).select_related("user", "workspace")
    if wanted:
        found = found.filter(Q(user__name__icontains=wanted) | Q(user__email__icontains=wanted))
    return found.order_by("user__email")


def person_of(workspace_id: str, user_id: str) -> Membership:
    """One member of the workspace, blocked or not."""
    found = people_of(workspace_id).filter(user_id=user_id).first()
    if found is None:
        raise NotFound(f"There is no member {user_id} in this workspace.")
    return found


def user_by_email(email: str) -> User | None:
    """A person by e-mail address, whatever its case."""
    return User.objects.filter(email__iexact=email).first()


def user_by_id(user_id: str) -> User | None:
    """A person by id."""
    return User.objects.filter(id=user_id).first()


def deliveries_for(actor: Actor) -> QuerySet[Delivery]:
    """What the workspace's destinations were told, newest first, as far as the actor may see what it tells."""
    heard = [event for event in (*EVENTS, TEST) if actor.may(policies.action_to_hear_of(event))]
    return deliveries_of(actor.workspace_id).filter(event__in=heard)
