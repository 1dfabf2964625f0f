"""Reading API keys and OAuth clients: what a secret opens, and whose keys there are."""

from __future__ import annotations

import hashlib
from datetime import datetime

from allauth.idp.oidc.models import Token
from django.db.models import OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, StrIndex
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from gptstudio.accounts import policies
from gptstudio.accounts.models import ApiKey, Membership
from gptstudio.accounts.policies import Actor
from gptstudio.core.errors import NotFound
from gptstudio.core.statements import Reading

KEY_STARTS = ("sk-studio-", "pk-studio-")


def _role_of_maker(key: str = "") -> Subquery:
    """What the maker of a key is in its workspace; NULL: blocked or gone. `key` is the way to the key."""
    makers = Membership.objects.filter(
        workspace_id=OuterRef(f"{key}workspace_id"), user_id=OuterRef(f"{key}created_by_id")
    )
    return Subquery(makers.values("role")[:1])


_KEYS = Reading(
    lambda digest: (
        ApiKey.objects.select_related("workspace", "created_by")
        .annotate(maker_role=_role_of_maker())  # type: ignore[no-redef]
        .filter(Q(hash=digest) | Q(previous_hash=digest))[:1]
    ),
    str,
)
_TOKENS = Reading(
    lambda digest, now: (
        Token.objects.select_related("client__key__workspace", "client__key__created_by")
        .annotate(maker_role=_role_of_maker("client__key__"))
        .filter(type=Token.Type.ACCESS_TOKEN, hash=digest, user=None, client__key__isnull=False)
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))[:1]
    ),
    str,
    datetime,
)
_ORIGINS = Reading(
    lambda quoted, now: (
        ApiKey.objects.filter(revoked_at__isnull=True, paused_at__isnull=True)
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
    """The key that this secret or access token opens, unless it is revoked, paused or expired. Its row is read each time, so what
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
    token = next(iter(_TOKENS.objects(digest, timezone.now())), None)
    if token is None:
        return None
    key: ApiKey = token.client.key
    key.maker_role = token.maker_role
    if not key.is_live:
        return None
    key.token_scopes = token.get_scopes()  # a key object of this token's own
    return key


def live_client(client_id: str) -> ApiKey | None:
    """The key of an OAuth client, unless it is revoked, paused or expired."""
    key = ApiKey.objects.filter(client_id=client_id).first() if client_id.isprintable() else None
    return key if key is not None and key.is_live else None


def actor_of_key(key: ApiKey) -> Actor:
    """A program acting with a key, for no more than its maker may do now."""
    scopes = key.granted_scopes
    actions: frozenset[str] = frozenset().union(*(policies.SCOPES.get(scope, frozenset()) for scope in scopes))
    if key.is_publishable:
        actions = policies.PUBLISHABLE
    if key.created_by_id is not None:
        actions &= policies.ROLES.get(key.maker_role or "", frozenset())
    return Actor(
        kind="key",
        id=key.id,
        label=f"{key.name} ({key.prefix}…)",
        workspace_id=key.workspace_id,
        actions=actions,
        user_id=key.created_by_id,
    )


def keys_of(workspace_id: str) -> QuerySet[ApiKey]:
    """The workspace's keys, newest first, revoked ones included."""
    keys = ApiKey.objects.filter(workspace_id=workspace_id).select_related("created_by")
    return keys.annotate(maker_role=_role_of_maker())  # type: ignore[no-redef]


def key_of(workspace_id: str, key_id: str) -> ApiKey:
    """One key of the workspace."""
    found = keys_of(workspace_id).filter(id=key_id).first()
    if found is None:
        raise NotFound(f"There is no API key {key_id} in this workspace.")
    return found


def live_keys_by(workspace_id: str, user_id: str) -> list[ApiKey]:
    """The keys that a member made and that still open something, or would if they were not blocked."""
    keys = keys_of(workspace_id).filter(created_by_id=user_id, revoked_at__isnull=True)
    return list(keys.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())))
