"""Issuing, changing, rotating and revoking API keys."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from gptstudio.accounts import policies, selectors
from gptstudio.accounts.models import ApiKey
from gptstudio.accounts.policies import Actor
from gptstudio.accounts.services.budgets import AMOUNTS, check_budgets
from gptstudio.accounts.services.clients import SHOWN, end_client, register_client, rotate_client
from gptstudio.audit.services import record
from gptstudio.core.errors import Conflict, Invalid, NotAllowed

START, PUBLISHABLE_START = selectors.KEY_STARTS
LONGEST_NAME, LONGEST_MODEL, MOST_MODELS = 80, 200, 100
LONGEST_ORIGIN, MOST_ORIGINS = 200, 20
PORTS = {"http": 80, "https": 443}
LONGEST_OVERLAP = timedelta(days=30)
LARGEST = {"requests_per_minute": 100_000, "tokens_per_minute": 2_000_000_000, "parallel_requests": 10_000}
CHANGEABLE = ("name", "allowed_models", "origins", "expires_at", *AMOUNTS, *LARGEST)


def _name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Invalid("The key has no name.", fix="Name it after the program that will use it.", param="name")
    if not name.isprintable():
        raise Invalid(
            "The key's name has line breaks or other characters that cannot be seen.",
            fix="Write it on one line, in letters, digits, signs and spaces.",
            param="name",
        )
    return name[:LONGEST_NAME]


def _scopes(actor: Actor, scopes: Sequence[str]) -> list[str]:
    unknown = sorted(set(scopes) - set(policies.SCOPES))
    if unknown or not scopes:
        raise Invalid(
            f"Unknown scope: {', '.join(unknown)}." if unknown else "The key has no scope.",
            fix=f"Choose from {', '.join(policies.SCOPES)}.",
            param="scopes",
        )
    _check_within(actor, scopes)
    return sorted(set(scopes))


def _check_within(actor: Actor, scopes: Sequence[str]) -> None:
    """Nobody hands out, or gets hold of, a key that may do more than they may themselves."""
    beyond = [scope for scope in scopes if not policies.SCOPES.get(scope, frozenset()) <= actor.actions]
    if beyond:
        raise NotAllowed(
            f"You may not do yourself what {', '.join(sorted(beyond))} allows, so you cannot hold a key for it.",
            fix="Leave it out, or have an admin of the workspace do this.",
        )


def _models(names: Sequence[str]) -> list[str]:
    wrong = [name for name in names if not (0 < len(name) <= LONGEST_MODEL and name.isprintable())]
    if wrong or len(names) > MOST_MODELS:
        raise Invalid(
            f"A key may be bound to {MOST_MODELS} models, each by a name of up to {LONGEST_MODEL} characters.",
            fix="Leave the list empty to allow all.",
            param="allowed_models",
        )
    return sorted(set(names))


def _origin(text: str) -> str:
    """An origin as browsers send it: scheme, host and a port that is not the usual one."""
    wrong = Invalid(
        f"{text[:60]!r} is no origin of web pages.",
        fix="Write it as https://shop.example.org: no path, other alphabets as xn--….",
        param="origins",
    )
    try:
        parts = urlsplit(text.strip().removesuffix("/"))
        port = parts.port
    except ValueError as error:
        raise wrong from error
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    if (
        parts.scheme not in PORTS
        or not host
        or not re.fullmatch(r"[a-z0-9.\-\[\]:]+", host)
        or len(text) > LONGEST_ORIGIN
    ):
        raise wrong
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise wrong
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != PORTS[parts.scheme] else "")


def _origins(texts: Sequence[str]) -> list[str]:
    if len(texts) > MOST_ORIGINS:
        raise Invalid(f"A key may have {MOST_ORIGINS} origins.", fix="Issue another key for more.", param="origins")
    return sorted({_origin(text) for text in texts})


def _check_publishable(key: ApiKey, *, was: bool) -> None:
    """A publishable key stays one, asks one deployment, and has no scope but chat."""
    if key.is_publishable != was:
        raise Invalid(
            "A key in web pages needs an origin, and a secret key has none.",
            fix="Name at least one origin, or issue another key.",
            param="origins",
        )
    if key.is_publishable and len(key.allowed_models) != 1:
        raise Invalid("A key in web pages asks one deployment.", fix="Name exactly one.", param="allowed_models")
    if key.is_publishable and key.scopes != ["chat"]:
        raise Invalid("A key in web pages has the scope chat alone.", fix="Leave the others out.", param="scopes")


def _check_no_pages(key: ApiKey) -> None:
    if key.is_publishable:
        raise Invalid("An OAuth client has no origins.", fix="Issue a key for web pages.", param="origins")


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """The limits among what was given, each within its bounds."""
    found = dict(given)
    if "name" in found:
        found["name"] = _name(found["name"])
    if "allowed_models" in found:
        found["allowed_models"] = _models(found["allowed_models"] or [])
    if "origins" in found:
        found["origins"] = _origins(found["origins"] or [])
    for name, most in LARGEST.items():
        value = found.get(name)
        if value is not None and not 1 <= value <= most:
            raise Invalid(f"{name} is {value}.", fix=f"Use 1 to {most:,}, or nothing for no limit.", param=name)
    check_budgets(found)
    return found


def _audit(actor: Actor, key: ApiKey, action: str, **data: Any) -> None:
    record(
        actor,
        workspace_id=key.workspace_id,
        action=action,
        subject_kind="key",
        subject_id=key.id,
        subject_label=key.name,
        data=data,
    )


def _secret(*, is_publishable: bool) -> tuple[str, dict[str, str]]:
    """A new secret, and what is kept of it."""
    start = PUBLISHABLE_START if is_publishable else START
    secret = start + secrets.token_urlsafe(32)
    return secret, {"prefix": secret[: len(start) + 6], "hash": selectors.key_hash(secret)}


@transaction.atomic
def issue_key(
    actor: Actor, *, workspace_id: str, name: str, scopes: Sequence[str], as_client: bool = False, **limits: Any
) -> tuple[ApiKey, str]:
    """Make a key, or an OAuth client; `limits` are those of CHANGEABLE. Returns the row and the secret, which nobody can
    read again.
    """
    policies.require(actor, "keys.edit", workspace_id=workspace_id)
    assert limits.keys() <= set(CHANGEABLE), limits  # noqa: S101 - a caller's slip, not input
    checked = _checked({"name": name, **limits})
    allowed = _scopes(actor, scopes)
    key = ApiKey(workspace_id=workspace_id, created_by_id=actor.user_id, scopes=allowed, **checked)
    _check_publishable(key, was=key.is_publishable)
    if as_client:
        _check_no_pages(key)
        client, secret = register_client(name=key.name, scopes=allowed)
        key.client, key.prefix, key.hash = client, client.id[:SHOWN], None
    else:
        secret, kept = _secret(is_publishable=key.is_publishable)
        key.prefix, key.hash = kept["prefix"], kept["hash"]
    key.save()
    _audit(actor, key, "key.issued", scopes=key.scopes, prefix=key.prefix, origins=key.origins)
    return key, secret


@transaction.atomic
def update_key(actor: Actor, *, key: ApiKey, **changes: Any) -> ApiKey:
    """Change a live key's name, models, limits or expiry; its scopes stay. They hold from the next request on."""
    policies.require(actor, "keys.edit", workspace_id=key.workspace_id)
    assert changes.keys() <= set(CHANGEABLE), changes  # noqa: S101 - a caller's slip, not input
    checked = _checked(changes)
    key = ApiKey.objects.select_for_update().get(id=key.id)
    if key.revoked_at is not None:
        raise Conflict(f"{key.name} is revoked.", fix="Issue another key.")
    changed = {name: value for name, value in checked.items() if getattr(key, name) != value}
    was = key.is_publishable
    for name, value in changed.items():
        setattr(key, name, value)
    _check_publishable(key, was=was)
    if changed:
        key.save(update_fields=list(changed))
        _audit(actor, key, "key.changed", **changed)
    return key


@transaction.atomic
def rotate_key(actor: Actor, *, key: ApiKey, old_works_until: datetime | None = None) -> tuple[ApiKey, str]:
    """A new secret for the same key. The one before works until `old_works_until`; without it, no longer.

    Scopes, limits, budget and bill stay with the key. A secret from before the last rotation is dead at once.
    """
    policies.require(actor, "keys.edit", workspace_id=key.workspace_id)
    key = ApiKey.objects.select_for_update().get(id=key.id)
    if not key.is_live:
        raise Conflict(
            f"{key.name} is revoked, paused or expired, or its maker is blocked or gone.", fix="Issue another key."
        )
    _check_within(actor, key.scopes)
    now = timezone.now()
    until = old_works_until or now
    if until > now + LONGEST_OVERLAP:
        raise Invalid(
            f"Two secrets may open a key for {LONGEST_OVERLAP.days} days at most.",
            fix="Choose an earlier time.",
            param="old_works_until",
        )
    overlaps = until > now
    if key.client is not None:
        secret = rotate_client(key.client, overlaps=overlaps)
        _audit(actor, key, "key.rotated", prefix=key.prefix, old_works_until=None)
        return key, secret
    secret, kept = _secret(is_publishable=key.is_publishable)
    key.previous_prefix = key.prefix if overlaps else ""
    key.previous_hash = key.hash if overlaps else None
    key.previous_until = until if overlaps else None
    key.prefix, key.hash = kept["prefix"], kept["hash"]
    key.save(update_fields=["prefix", "hash", "previous_prefix", "previous_hash", "previous_until"])
    _audit(actor, key, "key.rotated", prefix=key.prefix, old_works_until=key.previous_until)
    return key, secret


@transaction.atomic
def revoke_key(actor: Actor, *, key: ApiKey) -> ApiKey:
    """Close a key for good, with all its secrets, at once on every process. Revoking twice changes nothing."""
    policies.require(actor, "keys.edit", workspace_id=key.workspace_id)
    if ApiKey.objects.filter(id=key.id, revoked_at__isnull=True).update(revoked_at=timezone.now()):
        _audit(actor, key, "key.revoked")
        end_client(key.client_id)
    key.refresh_from_db()
    return key
