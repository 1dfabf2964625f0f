"""User, Workspace, Membership, ApiKey."""

from gptstudio.accounts.models.key import ApiKey
from gptstudio.accounts.models.user import User
from gptstudio.accounts.models.workspace import Membership, ReleasePolicy, Role, Workspace

__all__ = ["ApiKey", "Membership", "ReleasePolicy", "Role", "User", "Workspace"]
