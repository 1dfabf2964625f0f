"""JSON reports that are there whole or not at all. Knows nothing of what they say."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_report(path: Path, content: dict[str, Any]) -> None:
    """Write JSON under a temporary name, sync it and rename it into place."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, ensure_ascii=False, indent=1, allow_nan=False)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(path)
