"""Whether the broker answers, asked before anything starts. Once the studio runs, it may be away for a while."""

from __future__ import annotations

from urllib.parse import urlsplit

import redis
from django.conf import settings

from gptstudio.core.errors import Unavailable

SECONDS = 5


def check_broker() -> None:
    """Raise Unavailable with Redis's own reason; without REDIS_URL there is nobody to ask. Its password is not repeated."""
    if not settings.REDIS_URL:
        return
    waits = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS}
    asked = redis.Redis.from_url(settings.REDIS_URL, **waits, **settings.REDIS_TLS)
    try:
        asked.ping()
    except redis.RedisError as error:
        raise Unavailable(
            f"Redis at {urlsplit(settings.REDIS_URL).hostname} does not answer ({error}).",
            fix="Start it, or correct REDIS_URL.",
        ) from error
    finally:
        asked.close()
