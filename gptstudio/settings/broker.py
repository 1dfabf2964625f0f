"""The work queue: Redis, or a folder, which needs no server and is enough for jobs."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from gptstudio.settings import env


def tls(url: str) -> dict[str, Any]:
    """What redis-py is told of TLS: whom to trust beside the system's authorities. It asks for a certificate by itself."""
    authorities = env.certificates("REDIS_CA")
    return {"ssl_ca_data": authorities} if authorities and url.startswith("rediss") else {}


def celery(url: str, trusted: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Celery's settings for Redis at `url`, or for the folder where that is empty."""
    return {
        "CELERY_BROKER_URL": url or "filesystem://",
        # Kombu takes any certificate unless told otherwise
        "CELERY_BROKER_USE_SSL": {"ssl_cert_reqs": ssl.CERT_REQUIRED, **trusted} if url.startswith("rediss") else None,
        "CELERY_BROKER_TRANSPORT_OPTIONS": {"visibility_timeout": 3600} if url else _folder(folder),
        "CELERY_TASK_IGNORE_RESULT": True,
        "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
        "CELERY_WORKER_ENABLE_REMOTE_CONTROL": False,
        "CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP": True,
        "CELERY_TASK_SERIALIZER": "json",
        "CELERY_ACCEPT_CONTENT": ["json"],
        "CELERY_TASK_DEFAULT_QUEUE": "cpu",
        "CELERY_WORKER_HIJACK_ROOT_LOGGER": False,
    }


def _folder(folder: Path) -> dict[str, Any]:
    return {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
        "processed_folder": str(folder / "processed"),
        "store_processed": True,
        "polling_interval": 0.1,
    }
