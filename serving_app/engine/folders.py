"""Which folders an engine may load from. Imports nothing heavy: a wrong folder is told before torch is loaded."""

from __future__ import annotations

from pathlib import Path

from serving_app.engine.errors import EngineError


def resolve_folder(root: Path, path: str, *, param: str) -> Path:
    """The folder that `path` (absolute, or relative to `root`) means, links followed; refused outside of `root`."""
    base = root.resolve()
    folder = (base / path).resolve()
    if not folder.is_relative_to(base):
        raise EngineError(f"'{path}' is not below the engine's model root.", param=param, code="path_not_allowed")
    if not folder.is_dir():
        raise EngineError(f"There is no folder '{path}' below the engine's model root.", param=param, code="not_found")
    return folder
