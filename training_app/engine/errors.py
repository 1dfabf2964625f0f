"""What can go wrong in a run, as sentences for people. Knows no exit code and no event format."""

from __future__ import annotations


class EngineError(Exception):
    """A run cannot go on: `code` for programs, `message` (what and where) and `fix` (what to do) for people."""

    def __init__(self, code: str, message: str, *, fix: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix


class RunStopped(Exception):
    """Someone asked the run to stop (SIGTERM) and it has reached a place where it can."""


MEMORY_SIGNS = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ran out; torch reports the CPU's case as a plain RuntimeError."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, (RuntimeError, OSError)) and any(sign in str(error).lower() for sign in MEMORY_SIGNS)
