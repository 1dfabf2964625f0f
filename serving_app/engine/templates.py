"""Chat templates, each run in a process of its own (`template_child.py`), so that none that never ends, or takes all the
memory, holds up the model. The processes stay; a conversation costs one trip to one of them.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from jinja2 import TemplateError

from serving_app.engine.errors import EngineError, invalid
from serving_app.engine.template_child import MEMORY_BYTES, SECONDS, read_frame, write_frame

CHILD = "serving_app.engine.template_child"
MOST_CHILDREN = 8
OVER = (
    f"The model's chat template did not come to an end on these messages within {SECONDS} seconds of computing and "
    f"{MEMORY_BYTES >> 30} GiB of memory. Send fewer messages, use /v1/completions, or have the template mended."
)


class _Child:
    """The process of one template; it is started again when it has died."""

    def __init__(self, template: str) -> None:
        self._template = template
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, values: dict[str, Any]) -> str:
        """The text. Errors: TemplateError with what the template says, EngineError where it takes too much."""
        with self._lock:
            said = self._ask(values)
            if said is None and not self._has_taken_too_long():
                said = self._ask(values)  # something else ended it
        if said is None or "over" in said:
            raise invalid(OVER, param="messages", code="template_endless")
        if "fault" in said:
            raise TemplateError(said["fault"])
        return str(said["text"])

    def _ask(self, values: dict[str, Any]) -> dict[str, Any] | None:
        """What the process says; None when it died."""
        process = self._started()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - as it was started
        try:
            write_frame(process.stdin, values)  # type: ignore[arg-type]
            found: dict[str, Any] | None = read_frame(process.stdout)  # type: ignore[arg-type]
        except OSError:
            return None
        return found

    def _has_taken_too_long(self) -> bool:
        return self._process is not None and self._process.wait() == -signal.SIGXCPU

    def _started(self) -> subprocess.Popen[bytes]:
        """A session of its own: a signal for the engine's group is for the engine, which may still have answers to give."""
        if self._process is None or self._process.poll() is not None:
            self.end()
            self._process = subprocess.Popen(
                [sys.executable, "-m", CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=Path(__file__).parents[2],
                env={},  # a program that came with a model is told nothing, the engine's token least
                start_new_session=True,
            )
            try:
                write_frame(self._process.stdin, self._template)  # type: ignore[arg-type]
            except OSError as error:
                raise EngineError(
                    "The process that runs chat templates cannot be started.", status=500, kind="server_error"
                ) from error
        return self._process

    def end(self) -> None:
        """Nobody asks it any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                assert stream is not None  # noqa: S101 - as it was started
                with suppress(OSError):  # what it never read may still lie in the pipe
                    stream.close()
            self._process = None


class Templates:
    """The processes, the least used of which ends when there are too many."""

    def __init__(self) -> None:
        self._children: OrderedDict[str, _Child] = OrderedDict()
        self._lock = Lock()

    def write(self, template: str, values: dict[str, Any]) -> str:
        """A template's text for these values. Errors: TemplateError, EngineError."""
        with self._lock:
            child = self._children.setdefault(template, _Child(template))
            self._children.move_to_end(template)
            _, old = self._children.popitem(last=False) if len(self._children) > MOST_CHILDREN else ("", None)
        if old is not None:
            with old._lock:
                old.end()
        return child.write(values)


TEMPLATES = Templates()
