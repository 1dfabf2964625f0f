"""OAuth clients, which allauth keeps: registered with a key, given another secret, ended. What they may do is the key's."""

from __future__ import annotations

import secrets

from allauth.idp.oidc.models import Client, Token
from django.contrib.auth.hashers import make_password

from gptstudio.accounts.hashers import ClientSecretHasher
from gptstudio.core.errors import Invalid
from gptstudio.core.ids import mint

START = "client_"
SHOWN = len(START) + 12


def register_client(*, name: str, scopes: list[str]) -> tuple[Client, str]:
    """A client that may ask for tokens with these scopes, and its secret, which nobody can read again."""
    client = Client(id=mint(START), name=name, grant_types=Client.GrantType.CLIENT_CREDENTIALS, response_types="")
    client.set_scopes(scopes)
    client.set_default_scopes(scopes)
    secret = secrets.token_urlsafe(32)
    client.secret = make_password(secret, hasher=ClientSecretHasher.algorithm)
    client.save(force_insert=True)
    return client, secret


def rotate_client(client: Client, *, overlaps: bool) -> str:
    """A new secret. The old one, and every token that it was exchanged for, end now. Raises Invalid."""
    if overlaps:
        raise Invalid(
            "An OAuth client has one secret at a time.",
            fix="Let the old one end at once, or register another client beside it.",
            param="old_works_until",
        )
    secret = secrets.token_urlsafe(32)
    client.secret = make_password(secret, hasher=ClientSecretHasher.algorithm)
    client.save(update_fields=["secret"])
    Token.objects.filter(client=client).delete()
    return secret


def end_client(client_id: str | None) -> None:
    """Neither client nor tokens are left."""
    Client.objects.filter(id=client_id).delete()


def drop_expired_tokens() -> int:
    """Forget access tokens whose time is over; how many."""
    return int(Token.objects.expired().delete()[0])
