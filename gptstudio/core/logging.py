"""One line an event, for people or for programs. What it is about stands in it: a request's id, or a piece of work and
the id of its subject. Knows no requests and no tasks: who begins one says so here.
"""

from __future__ import annotations

import contextvars
import json
import logging
from datetime import UTC, datetime

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
task: contextvars.ContextVar[str] = contextvars.ContextVar("task", default="")
subject_id: contextvars.ContextVar[str] = contextvars.ContextVar("subject_id", default="")


class LineFormatter(logging.Formatter):
    """`2026-01-31T12:00:00 INFO serving_app req_… message`; in a worker the id of the job, version or file."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(about)s%(message)s", "%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        current = request_id.get() or subject_id.get()
        record.about = f"{current} " if current else ""
        return super().format(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time` (UTC), `level`, `logger`, `message`, `process`, and where there are such `request_id`,
    `task`, `job_id` (of a fine-tune, a version, a file: whatever the task is for) and `exception`.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        about = {"request_id": request_id.get(), "task": task.get(), "job_id": subject_id.get()}
        line |= {name: value for name, value in about.items() if value}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
