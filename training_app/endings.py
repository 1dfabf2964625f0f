"""How an engine's process ended, and the sentence for it where it said none itself. Reads the kernel's count of kills."""

from __future__ import annotations

import re
import signal
from collections import deque
from typing import Any

from gptstudio.core.child import Result, outcome_of
from gptstudio.core.memory_kills import kernel_kills

# How C++ libraries end when an allocation fails where no Python can catch it.
MEMORY_SIGNS = ("std::bad_alloc", "DefaultCPUAllocator: can't allocate memory")
FAILED = 1  # the exit code that goes with a `failed` event
# In torchrun's report, whose last entry is the process that went first.
WENT_FIRST = re.compile(r"exitcode\s*: (-?\d+) \(pid")
# A large process takes a few ticks to go after the kernel has counted its kill; what was killed earlier was another.
TICKS = 8
KEPT = "Training is done and kept: resume the run, and this alone is begun again."
STDERR = "The run folder's stderr has the details."
DOING = {
    "evaluate": "Comparing with the base model",
    "safety": "The safety check",
    "inspect": "Looking at the rows",
    "estimate": "Trying a few steps",
    "export": "Making the export",
}
TOO_LARGE = {
    "train": (
        "The run took more memory than it may use, with as few rows at a time as there can be.",
        "Train a LoRA adapter, shorten the longest row, switch gradient checkpointing on, or take a smaller base model.",
    ),
    "evaluate": (
        "Comparing with the base model took more memory than there is, with few rows at a time too.",
        f"Free some memory. {KEPT}",
    ),
    "safety": (
        "The safety check took more memory than there is, with few rows at a time too.",
        f"Free some memory. {KEPT}",
    ),
    "inspect": ("Looking at the rows took more memory than there is.", "Free some memory, then look again."),
    "estimate": (
        "A few steps of this run took more memory than there is.",
        "Use a smaller batch, shorter rows, or LoRA.",
    ),
    "export": ("Making the export took more memory than there is.", "Free some memory, then ask for it again."),
}


class Kills:
    """Whether the kernel has killed something for memory of late; looked at on every tick of a child's life."""

    def __init__(self) -> None:
        self._counts = deque([kernel_kills()], maxlen=TICKS)

    def tick(self) -> None:
        """Note how many there are."""
        self._counts.append(kernel_kills())

    def of_late(self) -> bool:
        """Whether there was one within the last ticks."""
        return kernel_kills() != self._counts[0]


def how_ended(result: Result, kills: Kills, *, processes: int = 1, has_said: bool = False) -> str:
    """finished, stopped, out_of_memory, killed (by somebody, not for memory) or failed.

    Of several `processes` it is the one that went first which says so: `torchrun` itself ends with 1 whatever happened.
    An engine that `has_said` why it failed is believed, whatever else stands in its log.
    """
    if result.outcome in ("finished", "stopped"):
        return result.outcome
    first = WENT_FIRST.findall(result.stderr_tail) if processes > 1 else []
    returncode = int(first[-1]) if first else result.returncode
    if returncode == -signal.SIGKILL:
        return "out_of_memory" if kills.of_late() else "killed"
    if outcome_of(returncode) == "stopped":
        return "stopped"
    if returncode == FAILED and has_said:
        return "failed"
    if outcome_of(returncode) == "out_of_memory" or any(sign in result.stderr_tail for sign in MEMORY_SIGNS):
        return "out_of_memory"
    return "failed"


def error_of(ending: str, failed: dict[str, Any], *, doing: str) -> dict[str, str]:
    """{code, message, fix}: what the engine said when it failed, else what its end says. `doing` is its command."""
    if ending == "out_of_memory":
        message, fix = TOO_LARGE[doing]
        return {"code": "out_of_memory", "message": message, "fix": fix}
    if failed:
        return {key: str(failed.get(key, "")) for key in ("code", "message", "fix")}
    message, fix = _died(ending, doing)
    return {"code": "engine_died", "message": message, "fix": fix}


def _died(ending: str, doing: str) -> tuple[str, str]:
    how = "was killed by something outside the studio" if ending == "killed" else "ended without saying why"
    if doing == "train":
        return (
            f"The training process {how}.",
            f"Resume the run: it goes on from its last checkpoint, if it has one. {STDERR}",
        )
    if doing in ("inspect", "estimate"):
        return f"{DOING[doing]}: the process {how}.", "Ask for it again, or start without it."
    if doing == "export":
        return f"{DOING[doing]}: the process {how}.", "Ask for it again."
    return f"{DOING[doing]}: the process {how}.", f"{KEPT} {STDERR}"
