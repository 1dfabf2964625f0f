"""The seal on the end of a chain: an HMAC under a key that is made of SECRET_KEY.

Lines alone can be written anew, hashes and all, by whoever writes to the database. A seal cannot be, without the secret;
and since each line covers all before it, the seal on the last covers the chain.
"""

from __future__ import annotations

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

SALT = "gptstudio.audit.seal"


def seal(chain: str, line_hash: str, *, secret: str | None = None) -> str:
    """The seal on a chain whose last line has this hash; under SECRET_KEY unless another secret is given."""
    return salted_hmac(SALT, f"{chain}:{line_hash}", secret=secret, algorithm="sha256").hexdigest()


def is_sealed(chain: str, line_hash: str, sealed: str) -> bool:
    """Whether this is the seal, under SECRET_KEY or one of those before it."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(seal(chain, line_hash, secret=each), sealed) for each in secrets)
