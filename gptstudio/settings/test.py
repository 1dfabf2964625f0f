"""Tests: the local set-up with quick password hashing. DATABASE_URL and REDIS_URL choose the second set-up."""

from gptstudio.settings.base import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
ACCOUNT_RATE_LIMITS = False
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, as in life: threads of one process lock each other out of a shared database in memory.
    DATABASES["default"]["TEST"] = {"NAME": STUDIO_HOME / "test.sqlite3"}  # noqa: F405
