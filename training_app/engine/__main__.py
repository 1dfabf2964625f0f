"""`python -m training_app.engine train|evaluate|safety|inspect|estimate|export SPEC.json`: prepares the process, then hands over.

With `torchrun --standalone --nproc-per-node N -m training_app.engine train SPEC.json` N processes train one model.
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

from training_app.engine.ranks import Ranks

PR_SET_PDEATHSIG = 1
# Set before torch loads. Passive waiting: with other load on the cores, spinning threads make a step ten times slower.
# Batches of all lengths have kernels made for each shape, which PyTorch and oneDNN below it keep, a thousand each: over a
# gigabyte by the end of a long run. A step needs some thirty, and made anew they cost nothing that can be measured.
# Processes of one run meet on the machine's loopback, whatever its name resolves to. The rest keeps every library off the
# network and off the home folder.
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "LRU_CACHE_CAPACITY": "64",
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
    "GLOO_SOCKET_IFNAME": "lo",
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
    parser.add_argument("command", choices=("train", "evaluate", "safety", "inspect", "estimate", "export"))
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
    return execute(chosen.command, chosen.spec, mirror, stop, _ranks())


def _ranks() -> Ranks:
    """What `torchrun` says of this process; its parent is the same for all of one start. One alone is as if without it, and
    sees one GPU.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
            os.environ.pop(name, None)
        # The trainer would spread the rows of a lone process over all GPUs that it sees.
        os.environ["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
        return Ranks()
    return Ranks(rank=int(os.environ["RANK"]), size=size, launch=str(os.getppid()))


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
