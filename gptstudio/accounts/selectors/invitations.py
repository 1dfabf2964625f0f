"""Reading invitations, and where somebody may become a member."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.core import signing
from django.db.models import QuerySet

from gptstudio.accounts.models import Invitation, InvitationState, JoinDomain, Membership, User, Workspace
from gptstudio.accounts.models.invitation import SALT
from gptstudio.core.errors import NotFound


def invitations_of(workspace_id: str) -> QuerySet[Invitation]:
    """All invitations of the workspace, newest first."""
    return Invitation.objects.filter(workspace_id=workspace_id).select_related("workspace")


def open_invitations_of(workspace_id: str) -> QuerySet[Invitation]:
    """Those that were neither accepted nor withdrawn; expired ones can be sent again."""
    return invitations_of(workspace_id).filter(accepted_at__isnull=True, withdrawn_at__isnull=True)


def invitation_of(workspace_id: str, invitation_id: str) -> Invitation:
    """One invitation of the workspace."""
    found = invitations_of(workspace_id).filter(id=invitation_id).first()
    if found is None:
        raise NotFound(f"There is no invitation {invitation_id} in this workspace.")
    return found


def invitation_by_token(token: str) -> Invitation:
    """The invitation that a link leads to, however it stands. Raises NotFound alike for links that were never made and for
    those that a newer one replaced.
    """
    unknown = NotFound("This invitation link is not good.", fix="Use the newest that you got, or ask for another.")
    try:
        invitation_id, link = signing.loads(token, salt=SALT)
    except signing.BadSignature as error:
        raise unknown from error
    found = Invitation.objects.select_related("workspace").filter(id=invitation_id, link=link).first()
    if found is None:
        raise unknown
    return found


def open_invitation(token: str) -> Invitation | None:
    """The invitation that a link leads to, while it can be accepted."""
    try:
        found = invitation_by_token(token)
    except NotFound:
        return None
    return found if found.state == InvitationState.PENDING else None


def verified_addresses_of(user: User) -> set[str]:
    """The e-mail addresses that this person has shown to be theirs, in lower case."""
    found = EmailAddress.objects.filter(user_id=user.id, verified=True).values_list("email", flat=True)
    return {address.lower() for address in found}


def domains_of(workspace_id: str) -> list[str]:
    """Whose people may join the workspace by themselves."""
    return list(JoinDomain.objects.filter(workspace_id=workspace_id).values_list("domain", flat=True))


def workspaces_to_join(user: User) -> QuerySet[Workspace]:
    """Those that a verified address of this person lets into, and of which they are no member, not even a blocked one."""
    domains = {address.rpartition("@")[2] for address in verified_addresses_of(user)}
    known = Membership.with_blocked.filter(user=user).values("workspace_id")
    found = Workspace.objects.filter(join_domains__domain__in=domains).exclude(id__in=known)
    return found.distinct().order_by("name")
