"""Text files beside this module: under each `[heading]` one entry a line; `\\n` in an entry is a line break."""

from __future__ import annotations

import random
from importlib.resources import files

_HERE = files("datasets_app.curation.pii.tagger.corpus")


def read(folder: str) -> dict[str, list[str]]:
    """All entries of all files of a folder by heading; lines that begin with `# ` are comments."""
    found: dict[str, list[str]] = {}
    for file in sorted((_HERE / folder).iterdir(), key=lambda file: file.name):
        heading = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("[") and line.rstrip().endswith("]"):
                heading = line.strip()[1:-1]
                found.setdefault(heading, [])
            elif line.strip() and not line.startswith("# "):
                found[heading].append(line.replace("\\n", "\n"))
    return found


LISTS = read("lists")


def pick(rng: random.Random, heading: str, first: int | None = None) -> str:
    """An entry of a list, or of its `first` ones: the commoner stand in front."""
    return rng.choice(LISTS[heading][:first])
