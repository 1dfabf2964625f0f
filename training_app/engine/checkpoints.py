"""Sealed checkpoints: a folder counts only with a COMPLETE.json that verifies. Knows no trainer and no weights.

The seal holds the size and SHA-256 of every file. It is written last, under a temporary name, synced and renamed,
so a folder that a kill cut short, or that lost a file later, is never taken for whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

PREFIX = "checkpoint-"
SEAL = "COMPLETE.json"
STATE = "run_state.json"
KEPT_NEWEST = 2
CHUNK = 1 << 20


@dataclass(slots=True)
class RunState:
    """What a run must remember beside weights and optimiser: the best step and how patient it has been so far.

    The best step has the lowest score: the validation loss, or what else early stopping looks at, with its sign turned
    where more is better. `patience_reference` is the score that the next validation must beat by the least improvement.
    `seconds` is how long the processes that led here have lived together. `look_due`: a stop cut the look at the validation
    rows short that belongs to this step; who goes on takes it first, so that all ends as if nobody had stopped.
    """

    best_step: int | None = None
    best_loss: float | None = None
    best_score: float | None = None
    patience_reference: float | None = None
    patience_used: int = 0
    stopped_early: bool = False
    seconds: float = 0.0
    look_due: bool = False

    def __post_init__(self) -> None:
        """Checkpoints of earlier releases know losses alone."""
        if self.best_score is None:
            self.best_score = self.best_loss

    def observe(self, step: int, loss: float, *, score: float, min_delta: float) -> bool:
        """Take in a validation; True when its score is the lowest so far."""
        if self.patience_reference is None or score < self.patience_reference - min_delta:
            self.patience_reference, self.patience_used = score, 0
        else:
            self.patience_used += 1
        if self.best_score is None or score < self.best_score:
            self.best_step, self.best_loss, self.best_score = step, loss, score
            return True
        return False


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A verified checkpoint."""

    step: int
    path: Path
    state: RunState


def checkpoint_path(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return folder / f"{PREFIX}{step}"


def seal(path: Path, state: RunState) -> None:
    """Write the run's state into a checkpoint and seal it; when this returns the checkpoint survives a power cut."""
    (path / STATE).write_text(json.dumps(asdict(state)), encoding="utf-8")
    files = {}
    for file in _files(path):
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
        files[file.relative_to(path).as_posix()] = {"size": file.stat().st_size, "sha256": _digest(file)}
    temporary = path / f"{SEAL}.tmp"
    with temporary.open("w", encoding="utf-8") as stream:
        json.dump({"version": 1, "files": files}, stream)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(path / SEAL)
    _sync_folder(path)
    _sync_folder(path.parent)


def is_whole(path: Path) -> bool:
    """Whether a checkpoint has its seal and every sealed file is there with its size and digest."""
    try:
        sealed = json.loads((path / SEAL).read_text(encoding="utf-8"))["files"]
        return all(
            (path / name).stat().st_size == entry["size"] and _digest(path / name) == entry["sha256"]
            for name, entry in sealed.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def take_newest(folder: Path) -> tuple[Checkpoint | None, list[int]]:
    """The newest whole checkpoint whose best step is whole too, and the steps of newer ones, which are deleted."""
    dropped: list[int] = []
    for step in sorted(steps_in(folder), reverse=True):
        path = checkpoint_path(folder, step)
        state = _read_state(path) if is_whole(path) else None
        if state is not None and _has_its_best(folder, step, state):
            return Checkpoint(step=step, path=path, state=state), dropped
        shutil.rmtree(path)
        dropped.append(step)
    return None, dropped


def rotate(folder: Path) -> list[int]:
    """Delete all but the newest checkpoints and the best ones that these remember. Returns the steps of those that stay."""
    steps = sorted(steps_in(folder))
    kept = set(steps[-KEPT_NEWEST:])
    states = [_read_state(checkpoint_path(folder, step)) for step in kept]
    kept |= {state.best_step for state in states if state is not None and state.best_step is not None}
    for step in steps:
        if step not in kept:
            shutil.rmtree(checkpoint_path(folder, step))
    return sorted(steps_in(folder))


def steps_in(folder: Path) -> list[int]:
    """The steps that have a checkpoint folder, whole or not."""
    names = [path.name.removeprefix(PREFIX) for path in folder.glob(f"{PREFIX}*") if path.is_dir()]
    return [int(name) for name in names if name.isdigit()]


def _has_its_best(folder: Path, step: int, state: RunState) -> bool:
    return state.best_step in (None, step) or is_whole(checkpoint_path(folder, state.best_step or 0))


def _read_state(path: Path) -> RunState | None:
    try:
        return RunState(**json.loads((path / STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith(SEAL))


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
