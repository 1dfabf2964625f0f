"""`python -m training_app.engine train|evaluate|safety SPEC.json`: prepares the process, then hands over.

The only module of the engine that touches the environment. Exit codes: see `command`; 2 for a wrong command line.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
# Set before torch loads. Passive waiting: with other load on the cores, spinning threads make a step ten times slower.
# The rest keeps every library off the network and off the home folder.
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_EVALUATE_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DO_NOT_TRACK": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}


def main(arguments: list[str]) -> int:
    """Run one command; returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m training_app.engine")
    parser.add_argument("command", choices=("train", "evaluate", "safety"))
    parser.add_argument("spec", type=Path, help="spec.json; its folder is the run folder")
    chosen = parser.parse_args(arguments)
    _die_with_parent()
    os.environ.update(ENVIRONMENT)
    os.environ["HF_HOME"] = str(chosen.spec.resolve().parent / "cache")
    mirror = _reserve_standard_output()

    from training_app.engine.command import execute
    from training_app.engine.stopping import StopRequest

    stop = StopRequest()
    stop.listen()
    return execute(chosen.command, chosen.spec, mirror, stop)


def _die_with_parent() -> None:
    """Ask Linux to kill this process when its parent ends; elsewhere the parent's own care has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _reserve_standard_output() -> IO[str]:
    """Standard output for events alone: whatever a library prints goes to standard error."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return events


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
