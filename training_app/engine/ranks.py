"""Which of the processes of one run this is, and how one that breaks off says why. Knows no torch and no training.

With `torchrun` in front, several processes train one model. The leading one owns the run folder: its lock, its events, its
files. What ends another is left beside them, for the leading one to put into the log.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training_app.engine.events import EventLog
from training_app.engine.reports import write_report

ENDINGS = ("failed", "out_of_memory")
TOLD = ".ended-{rank}.json"


@dataclass(frozen=True, slots=True)
class Ranks:
    """The number of this process among those of its run (from 0), how many they are, and what tells one start of them
    from the next."""

    rank: int = 0
    size: int = 1
    launch: str = ""

    @property
    def leads(self) -> bool:
        """Whether the run folder is this process's to write."""
        return self.rank == 0

    def told(self, run: Path) -> tuple[str, dict[str, Any]] | None:
        """The event with which another process of this start ended, once; None while none has."""
        for rank in range(1, self.size):
            path = run / TOLD.format(rank=rank)
            if path.exists():
                content = json.loads(path.read_text(encoding="utf-8"))
                path.unlink()
                if content["launch"] == self.launch:
                    return content["kind"], content["data"]
        return None

    def is_heard(self, run: Path) -> bool:
        """Whether the leading process took what this one left."""
        return not (run / TOLD.format(rank=self.rank)).exists()


ALONE = Ranks()


class Follower(EventLog):
    """In the place of the log in a process that does not lead: what ends it is told, all else is the leading one's to say."""

    def __init__(self, ranks: Ranks, run: Path) -> None:
        self._ranks = ranks
        self._run = run

    def write(self, kind: str, **data: Any) -> None:
        """Leave an ending for the leading process."""
        if kind in ENDINGS:
            content = {"launch": self._ranks.launch, "kind": kind, "data": data}
            write_report(self._run / TOLD.format(rank=self._ranks.rank), content)

    def close(self) -> None:
        """Nothing is open."""
