"""The log: how much is said, and whether for people or for programs."""

from __future__ import annotations

from typing import Any

from gptstudio.settings import env

LOG_LEVEL = env.one_of("LOG_LEVEL", "info", "debug", "warning", "error", "critical").upper()
LOG_FORMAT = env.one_of("LOG_FORMAT", "line", "json")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "gptstudio.core.logging.LineFormatter"},
        "json": {"()": "gptstudio.core.logging.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "celery": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
    },
}
