"""The web process: `python -m gptstudio.server`. uvicorn, with bounds that its command line does not have."""

from __future__ import annotations

import argparse
import sys
import threading

import django
import uvicorn
from django.conf import settings

from gptstudio.core import storage
from gptstudio.core.database import check_schema
from gptstudio.core.errors import StudioError
from gptstudio.core.headers import BoundedHeads


def config_of(*, host: str, port: int, grace: int) -> uvicorn.Config:
    """How the studio is served. `grace`: seconds for answers under way, once the process was told to end."""
    return uvicorn.Config(
        "gptstudio.asgi:application",
        host=host,
        port=port,
        http=BoundedHeads,
        access_log=False,
        proxy_headers=False,  # TRUSTED_PROXIES alone says whom to believe
        log_level="warning",
        log_config=None,  # as the settings say
        timeout_graceful_shutdown=grace,
    )


def main() -> None:
    """Serve until told to end; 1 with one sentence where settings or database are not such that it could."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--grace", type=int, default=8, help="Seconds for answers under way at the end.")
    asked = parser.parse_args()
    try:
        django.setup(set_prefix=False)
        check_schema(version=settings.VERSION)
        storage.check()
    except StudioError as error:
        sys.exit(f"GPT Studio cannot start: {error}")
    storage.start_tending(threading.Event())
    uvicorn.Server(config_of(host=asked.host, port=asked.port, grace=asked.grace)).run()


if __name__ == "__main__":
    main()
