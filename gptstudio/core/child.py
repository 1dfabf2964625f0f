"""The one runner of child processes: limits, a tick for the parent, a polite stop, and a named outcome.

A child leads its own process group and dies with its parent. Heavy libraries load in children alone, so
their memory is freed when they end and a crash is an outcome, not a crash of ours.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from celery.exceptions import Ignore

from gptstudio.core import shutdown

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
Outcome = Literal["finished", "stopped", "refused", "out_of_memory", "out_of_time", "failed"]
REFUSED, STOPPED, OUT_OF_MEMORY = 2, 3, 4
GRACE_SECONDS = 60.0
# What a child is told of the studio's own environment: where programs and certificates are, the language, the way out, and
# how libraries use cores and GPUs. Its passwords, keys and addresses it is not told, for a child reads what anybody sent.
TOLD = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|TZ|TMPDIR|VIRTUAL_ENV|(REQUESTS|CURL)_CA_BUNDLE|OPENSSL_CONF|GLIBC_TUNABLES"
    r"|(https?|all|no)_proxy|(HTTPS?|ALL|NO)_PROXY|LANGUAGETOOL_URL|LRU_CACHE_CAPACITY|(PYTHON|TORCH)[A-Z_]*"
    r"|(LC|LD|XDG|SSL_CERT|MALLOC|ARROW|RAYON|OMP|GOMP|KMP|MKL|OPENBLAS|NUMEXPR|ONEDNN|DNNL|CUDA|CUBLAS|CUDNN|NVIDIA|NCCL"
    r"|GLOO|HIP|HSA|ROCR|PYTORCH|TRITON|ACCELERATE|HF(?!_TOKEN)|TRANSFORMERS|TOKENIZERS)_\w+"
)  # HF_TOKEN is given to what fetches from the hub alone


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take; 0 means no limit. Memory is address space, in bytes; time is CPU seconds."""

    memory_bytes: int = 0
    cpu_seconds: int = 0
    file_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """How a child ended. `returncode` is negative for a signal; `stderr_tail` is for the log, not for people."""

    outcome: Outcome
    returncode: int
    stderr_tail: str = field(default="", repr=False)


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent goes (Linux)."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def environment() -> dict[str, str]:
    """What of this process's environment may be passed on to one that needs none of its secrets."""
    return {name: value for name, value in os.environ.items() if TOLD.fullmatch(name)}


def _limit(limits: Limits) -> None:
    for kind, value, grace in (
        (resource.RLIMIT_AS, limits.memory_bytes, 0),
        (resource.RLIMIT_CPU, limits.cpu_seconds, 5),  # SIGXCPU first, which says why; SIGKILL would not
        (resource.RLIMIT_FSIZE, limits.file_bytes, 0),
    ):
        if value:
            resource.setrlimit(kind, (value, value + grace))


def start(
    argv: Sequence[str],
    *,
    stderr: Path,
    cwd: Path,
    stdout: Path | None = None,
    env: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    outlives_parent: bool = False,
    is_studio: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a child in its own process group; its output streams are appended to files (`stdout` None: dropped).

    One that `is_studio` is told everything that this process is told; any other `environment()` and `env`.
    """
    allowed = limits or Limits()

    def before_exec() -> None:
        if not outlives_parent:
            die_with_parent()
        _limit(allowed)

    with stderr.open("ab") as log, (stdout or Path(os.devnull)).open("ab") as out:
        return subprocess.Popen(
            list(argv),
            cwd=cwd,
            env={
                **(os.environ if is_studio else environment()),
                "OMP_WAIT_POLICY": "PASSIVE",
                "PYTHONUNBUFFERED": "1",
                **(env or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=log,
            start_new_session=True,
            preexec_fn=before_exec,
        )


def signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the child and all that it started; a group that is gone is fine."""
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return


def outcome_of(returncode: int) -> Outcome:
    """Exit codes of the engines: 0 finished, 2 refused, 3 stopped after saving, 4 out of memory."""
    named: dict[int, Outcome] = {0: "finished", REFUSED: "refused", STOPPED: "stopped", OUT_OF_MEMORY: "out_of_memory"}
    named[-signal.SIGXCPU] = "out_of_time"
    if returncode == -signal.SIGKILL:  # nobody here sends SIGKILL to a child in time: it was the kernel
        return "out_of_memory"
    return named.get(returncode, "failed")


def run(
    argv: Sequence[str],
    *,
    stderr: Path,
    cwd: Path,
    on_tick: Callable[[], bool],
    stdout: Path | None = None,
    env: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    tick_seconds: float = 0.5,
    grace_seconds: float = GRACE_SECONDS,
    outlasts_worker: bool = False,
) -> Result:
    """Run a child to its end. `on_tick` is called every `tick_seconds`; when it returns False the child is asked to
    stop (SIGTERM, so that it can save) and killed after `grace_seconds`. If `on_tick` raises, the child is killed.

    When the worker is told to end, the child is killed and its task given up unrecorded: whoever claims the work next begins
    it again. Where there is something to save, `on_tick` looks for that itself (`outlasts_worker`).
    """
    earlier = stderr.stat().st_size if stderr.exists() else 0  # what other starts said of their ends
    child = start(argv, stderr=stderr, stdout=stdout, cwd=cwd, env=env, limits=limits)
    deadline: float | None = None
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=tick_seconds)
            wanted = on_tick()
            if child.returncode is not None:
                break
            if shutdown.is_asked() and not outlasts_worker:
                raise Ignore("the worker ends")
            if not wanted and deadline is None:
                signal_group(child, signal.SIGTERM)
                deadline = time.monotonic() + grace_seconds
            if deadline is not None and time.monotonic() > deadline:
                signal_group(child, signal.SIGKILL)
    finally:
        if child.poll() is None:
            signal_group(child, signal.SIGKILL)
            child.wait()
    outcome = outcome_of(child.returncode)
    if deadline is not None and outcome in ("failed", "out_of_memory"):
        outcome = "stopped"  # it was told to go and went, politely or not
    return Result(outcome, child.returncode, _tail(stderr, since=earlier))


def _tail(path: Path, *, since: int, size: int = 4000) -> str:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(since, file.tell() - size))
        return file.read().decode(errors="replace")
