"""Texts that must be read again and may not lie open in the database: sealed under SECRET_KEY, opened under it or those before.

A sealed text begins with `sealed:`; what does not is one from before and is taken as it is.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

from gptstudio.core.errors import Conflict

MARK = "sealed:"
SALT = "gptstudio.core.sealing"


def _lock(secret: str) -> Fernet:
    key = salted_hmac(SALT, "key", secret=secret, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))


def seal(text: str) -> str:
    """The text, sealed under SECRET_KEY; each time another one."""
    return MARK + _lock(settings.SECRET_KEY).encrypt(text.encode()).decode()


def unseal(text: str) -> str:
    """What was sealed. Raises Conflict where that was under a secret that is not known here."""
    if not text.startswith(MARK):
        return text
    locks = MultiFernet([_lock(each) for each in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])
    try:
        return locks.decrypt(text.removeprefix(MARK).encode()).decode()
    except InvalidToken as error:
        raise Conflict(
            "A secret in the database is sealed under another SECRET_KEY.",
            fix="Whoever runs the studio can name the one before in SECRET_KEY_FALLBACKS.",
        ) from error


def is_sealed(text: str) -> bool:
    """Whether it is sealed under the SECRET_KEY of now."""
    try:
        _lock(settings.SECRET_KEY).decrypt(text.removeprefix(MARK).encode())
    except InvalidToken:
        return False
    return text.startswith(MARK)
