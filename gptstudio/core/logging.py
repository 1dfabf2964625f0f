"""One line an event: time, level, logger, message. The request id stands in front when there is one."""

from __future__ import annotations

import contextvars
import logging

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")


class LineFormatter(logging.Formatter):
    """`2026-01-31T12:00:00 INFO serving_app req_… message`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(request)s%(message)s", "%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        current = request_id.get()
        record.request = f"{current} " if current else ""
        return super().format(record)
