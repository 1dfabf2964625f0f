"""What can go wrong in a run, as sentences for people. Knows no exit code and no event format."""

from __future__ import annotations

from typing import Any


class EngineError(Exception):
    """A run cannot go on: `code` for programs, `message` (what and where) and `fix` (what to do) for people.

    What else programs may want to know, such as a step and rows, goes into `details`.
    """

    def __init__(self, code: str, message: str, *, fix: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix
        self.details = details


class RunStopped(Exception):
    """Someone asked the run to stop (SIGTERM) and it has reached a place where it can."""


class LookCutShort(Exception):
    """A stop was asked for in the middle of a look at the validation rows."""


class NothingLeft(Exception):
    """A run that goes on finds that it was over already."""


def is_lost_company(error: BaseException) -> bool:
    """Whether an exception means that another process of the run is gone: torch's own kind, or gloo's plain RuntimeError."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return "DistError" in kinds or (isinstance(error, RuntimeError) and "gloo" in str(error))


MEMORY_SIGNS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "cublas_status_alloc_failed",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ran out; torch reports the CPU's case as a plain RuntimeError."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, (RuntimeError, OSError)) and any(sign in str(error).lower() for sign in MEMORY_SIGNS)
