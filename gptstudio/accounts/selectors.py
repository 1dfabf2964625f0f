"""Reading people, workspaces and keys."""

from __future__ import annotations

import hashlib
from datetime import datetime

from allauth.idp.oidc.models import Token
from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, StrIndex
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from gptstudio.accounts import policies
from gptstudio.accounts.models import ApiKey, Membership, User, Workspace
from gptstudio.accounts.policies import Actor
from gptstudio.core.errors import NotFound
from gptstudio.core.statements import Reading
from gptstudio.notify.events import EVENTS, TEST
from gptstudio.notify.models import Delivery
from gptstudio.notify.selectors import deliveries_of

KEY_STARTS = ("sk-studio-", "pk-studio-")
_KEYS = Reading(
    lambda digest: ApiKey.objects.select_related("workspace", "created_by").filter(
        Q(hash=digest) | Q(previous_hash=digest)
    )[:1],
    str,
)
_BUDGETS = Reading(
    lambda workspace_id, user_id: Membership.objects.filter(workspace_id=workspace_id, user_id=user_id).values_list(
        "budget_micro", flat=True
    ),
    str,
    str,
)
_ORIGINS = Reading(
    lambda quoted, now: (
        ApiKey.objects.filter(revoked_at__isnull=True)
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))
        .filter(GreaterThan(StrIndex(Cast("origins", TextField()), Value(quoted)), 0))
        .values_list("origins", flat=True)
    ),
    str,
    datetime,
)


def key_hash(secret: str) -> str:
    """SHA-256 of a key. The key holds 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def live_key(secret: str) -> ApiKey | None:
    """The key that this secret or access token opens, unless it is revoked or expired. Its row is read each time, so what
    another process revokes is dead at once. Nobody may change the object.
    """
    digest = key_hash(secret)
    if not secret.startswith(KEY_STARTS):
        return _key_of_token(digest)
    key = next(iter(_KEYS.objects(digest)), None)
    if key is None or not key.is_live:
        return None
    return key if key.hash == digest or key.has_two_secrets else None


def is_public_origin(origin: str) -> bool:
    """Whether some live publishable key may be used from pages of this origin. A browser asks before it shows the key,
    so anybody may ask this: the database gives the keys alone whose origins have the text somewhere in them.
    """
    return any(origin in origins for origins in _ORIGINS.objects(f'"{origin}"', timezone.now()))


def _key_of_token(digest: str) -> ApiKey | None:
    """The OAuth client that an access token stands for, with the token's scopes."""
    found = Token.objects.valid().filter(
        type=Token.Type.ACCESS_TOKEN, hash=digest, user=None, client__key__isnull=False
    )
    token = found.select_related("client__key__workspace", "client__key__created_by").first()
    if token is None or not token.client.key.is_live:
        return None
    key: ApiKey = token.client.key
    key.token_scopes = token.get_scopes()
    return key


def live_client(client_id: str) -> ApiKey | None:
    """The key of an OAuth client, unless it is revoked or expired."""
    key = ApiKey.objects.filter(client_id=client_id).first() if client_id.isprintable() else None
    return key if key is not None and key.is_live else None


def actor_of_key(key: ApiKey) -> Actor:
    """A program acting with a key."""
    scopes = key.granted_scopes
    actions: frozenset[str] = frozenset().union(*(policies.SCOPES.get(scope, frozenset()) for scope in scopes))
    if key.is_publishable:
        actions = policies.PUBLISHABLE
    return Actor(
        kind="key",
        id=key.id,
        label=f"{key.name} ({key.prefix}…)",
        workspace_id=key.workspace_id,
        actions=actions,
        user_id=key.created_by_id,
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


def member_budget(workspace_id: str, user_id: str | None) -> int | None:
    """What a member may spend, in millionths; None: no limit, or no member."""
    return next(iter(_BUDGETS.objects(workspace_id, user_id)), None) if user_id else None


def member_of(workspace_id: str, user_id: str) -> Membership:
    """One member of the workspace."""
    found = members_of(workspace_id).filter(user_id=user_id).first()
    if found is None:
        raise NotFound(f"There is no member {user_id} in this workspace.")
    return found


def keys_of(workspace_id: str) -> QuerySet[ApiKey]:
    """The workspace's keys, newest first, revoked ones included."""
    return ApiKey.objects.filter(workspace_id=workspace_id).select_related("created_by")


def key_of(workspace_id: str, key_id: str) -> ApiKey:
    """One key of the workspace."""
    found = keys_of(workspace_id).filter(id=key_id).first()
    if found is None:
        raise NotFound(f"There is no API key {key_id} in this workspace.")
    return found


def deliveries_for(actor: Actor) -> QuerySet[Delivery]:
    """What the workspace's destinations were told, newest first, as far as the actor may see what it tells."""
    heard = [event for event in (*EVENTS, TEST) if actor.may(policies.action_to_hear_of(event))]
    return deliveries_of(actor.workspace_id).filter(event__in=heard)


def user_by_email(email: str) -> User | None:
    """A person by e-mail address, whatever its case."""
    return User.objects.filter(email__iexact=email).first()


def user_by_id(user_id: str) -> User | None:
    """A person by id."""
    return User.objects.filter(id=user_id).first()
