"""What an engine process is told at start. Reads no environment and no command line: `__main__` does that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

EIGHT_BIT = "int8"
DTYPES = ("auto", "float32", "bfloat16", EIGHT_BIT)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """The engine's fixed choices. Lengths are in tokens, times in seconds.

    `token` None means that no bearer token is asked for. `prefill_tokens` bounds the prompt tokens worked through in
    one step, so that a long prompt cannot hold up the streams that are already running. `embedding_tokens` bounds the
    texts that wait for their vectors, over all requests; one request alone is always taken. Without progress for
    `stuck_seconds` an engine is not ready, for twice as long it ends. `memory_limit` is in bytes, None: the machine's.
    `dtype`, one of DTYPES, is what weights are kept in; `auto` keeps what the model folder has.
    """

    model_root: Path
    token: str | None = None
    slots: int = 32
    max_context: int = 2048
    threads: int = 2
    dtype: str = "auto"
    queue_limit: int = 256
    prefill_tokens: int = 256
    embedding_tokens: int = 1_000_000
    drain_seconds: float = 20.0
    stuck_seconds: float = 60.0
    memory_limit: int | None = None
