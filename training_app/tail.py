"""Reading what an engine says while it still writes. Knows no database and no meaning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Events = list[dict[str, Any]]


class Tail:
    """Reads whole lines of a growing events.jsonl, from an offset that the database keeps."""

    def __init__(self, path: Path, offset: int) -> None:
        self.path, self.offset = path, offset

    def read(self) -> Events:
        """The events since the last look. A line that is still being written waits."""
        if not self.path.exists():
            return []
        found: Events = []
        with self.path.open("rb") as file:
            file.seek(self.offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.offset += len(line)
                found.append(json.loads(line))
        return found
