"""How secrets of OAuth clients are stored. They are 256 random bits, so nothing is won by a slow hash, and a token is
asked for inside of a transaction that others wait for.
"""

from __future__ import annotations

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class ClientSecretHasher(PBKDF2PasswordHasher):
    """PBKDF2 in one round, for secrets that nobody can guess. Never for what people make up."""

    algorithm = "client_secret"
    iterations = 1
