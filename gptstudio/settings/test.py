"""Tests: the local set-up with quick password hashing. DATABASE_URL and REDIS_URL choose the second set-up."""

import atexit
import os
import shutil
import sys
import tempfile

if "pytest" in sys.modules:
    # Here and not in a conftest: pytest-django reads the settings before any conftest runs. Programs that a test
    # starts inherit these settings too, and have a home of their own.
    os.environ["STUDIO_HOME"] = tempfile.mkdtemp(prefix="studio-tests-")
    atexit.register(shutil.rmtree, os.environ["STUDIO_HOME"], ignore_errors=True)

from gptstudio.settings.base import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", PASSWORD_HASHERS[-1]]  # noqa: F405
ALLOWED_HOSTS = ["*"]
ACCOUNT_RATE_LIMITS = False
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # A file, as in life: threads of one process lock each other out of a shared database in memory.
    DATABASES["default"]["TEST"] = {"NAME": STUDIO_HOME / "test.sqlite3"}  # noqa: F405
    # Many threads that race take no turns; on a slow machine one of them may be last for long.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA busy_timeout=240000;"  # noqa: F405
else:
    DATABASES["default"]["OPTIONS"]["pool"]["timeout"] = 240  # noqa: F405
# A file is looked for when it is asked for: else every test client begins by reading all of them.
WHITENOISE_AUTOREFRESH = True
