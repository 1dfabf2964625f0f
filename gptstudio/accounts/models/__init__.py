"""User, Workspace, Membership, Invitation, ApiKey."""

from gptstudio.accounts.models.invitation import Invitation, InvitationState, JoinDomain
from gptstudio.accounts.models.key import ApiKey
from gptstudio.accounts.models.user import User
from gptstudio.accounts.models.workspace import Membership, ReleasePolicy, Role, Workspace

__all__ = [
    "ApiKey",
    "Invitation",
    "InvitationState",
    "JoinDomain",
    "Membership",
    "ReleasePolicy",
    "Role",
    "User",
    "Workspace",
]
