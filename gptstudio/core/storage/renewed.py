"""A folder that is written anew from time to time, as a run's is: every machine brings its copy up to the newest."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from gptstudio.core.storage import bucket
from gptstudio.core.storage.folders import (
    TRIES,
    UNDER_WAY,
    Listed,
    alone,
    damaged,
    is_set,
    keep,
    listed,
    place,
    take,
)
from gptstudio.core.storage.heartbeat import carried

MARK = ".stored.json"  # in the folder: which writing it is up to, and what came with it


def keep_anew(name: str, files: Collection[Path]) -> None:
    """Copy these files of a folder; they take the place of all that the bucket had of it."""
    folder = place(name)
    if is_set():
        mark = keep(name, folder, files=files)
        _note(folder, mark, [path.relative_to(folder).as_posix() for path in files])


def current(name: str) -> Path:
    """Where it lies on this machine, with what the machine that last wrote it to the bucket left. StorageTrouble."""
    path = place(name)
    if is_set():
        found = listed(name)
        if found is not None and _noted(path).get("mark") != found.mark:
            carried(lambda: _renew(name, path, found))
    return path


def _renew(name: str, path: Path, found: Listed) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path):
        for _ in range(TRIES):
            if _noted(path).get("mark") == found.mark:
                return
            try:
                _bring(name, path, found)
            except bucket.Missing:  # written anew meanwhile
                newest = listed(name)
                if newest is None:
                    return
                found = newest
    if _noted(path).get("mark") != found.mark:
        raise damaged(name, "lacks files that its list names")


def _bring(name: str, path: Path, found: Listed) -> None:
    before = _noted(path).get("files", [])
    with tempfile.TemporaryDirectory(prefix=UNDER_WAY, dir=path.parent) as staging:
        for inner, entry in found.files.items():
            (Path(staging) / inner).parent.mkdir(parents=True, exist_ok=True)
            take(f"{name}/@{found.mark}/{inner}", Path(staging) / inner, entry)
        for inner in found.files:
            (path / inner).parent.mkdir(parents=True, exist_ok=True)
            (Path(staging) / inner).replace(path / inner)
    for inner in set(before) - found.files.keys():
        (path / inner).unlink(missing_ok=True)
    path.mkdir(exist_ok=True)
    _note(path, found.mark, list(found.files))


def _noted(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((path / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _note(path: Path, mark: str, files: list[str]) -> None:
    staging = path / f"{MARK}.tmp"
    staging.write_text(json.dumps({"mark": mark, "files": files}), encoding="utf-8")
    staging.replace(path / MARK)
