"""How an engine is called: by itself, or behind `torchrun` where several processes share a fine-tune. Starts nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from gptstudio.core import child

ENGINE = ("-m", "training_app.engine")
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1")
IN_COMPANY = ("train", "estimate")


def processes_for(spec: dict[str, Any]) -> int:
    """How many processes do what the spec says: to train as many as there may be that can share the rows of a step evenly."""
    if spec["kind"] not in IN_COMPANY or settings.TRAINING_PROCESSES == 1:
        return 1
    wanted = spec["hyperparameters"]
    rows = wanted["batch_size"] * wanted["gradient_accumulation_steps"]
    return max(count for count in range(1, settings.TRAINING_PROCESSES + 1) if rows % count == 0)


def engine_call(spec: dict[str, Any], path: Path) -> list[str]:
    """The command line for the spec that lies at `path`."""
    processes = processes_for(spec)
    alone = [*ENGINE, str(spec["kind"]), str(path)]
    if processes == 1:
        return [sys.executable, *alone]
    # It waits a little less than the studio does until it kills those that were asked to stop and save.
    patience = str(int(grace_for(spec) - 10))
    return [sys.executable, *TORCHRUN, "--shutdown-timeout", patience, "--nproc-per-node", str(processes), *alone]


def grace_for(spec: dict[str, Any]) -> float:
    """The seconds that an engine which is asked to stop has until it is killed: a training saves first."""
    return float(settings.TRAINING_GRACE_SECONDS) if spec["kind"] == "train" else child.GRACE_SECONDS
