"""The door to the training engine: a spec into the run folder, a child process, events out; base models from a hub."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from gptstudio.core import child
from training_app.models import BaseModelImport, FineTuningJob, JobPhase, LanguageModel

ENGINE = (sys.executable, "-m", "training_app.engine")
HUB = (sys.executable, "-m", "training_app.engine.hub")
TEST_ROWS = 400
ANSWER_TOKENS = 64
Events = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a phase ended. `error` is {code, message, fix} unless `name` is finished or stopped."""

    name: str
    error: dict[str, str] = field(default_factory=dict)


def phase_folder(job: FineTuningJob, phase: str) -> Path:
    """Training runs in the run folder itself, evaluation and safety below it."""
    return job.folder if phase == JobPhase.TRAIN else job.folder / phase


def _common(job: FineTuningJob, kind: str) -> dict[str, Any]:
    return {
        "v": 1,
        "kind": kind,
        "job": job.id,
        "attempt": job.attempt,
        "device": settings.TRAINING_DEVICE,
        "threads": settings.TRAINING_THREADS,
    }


def _named(model: LanguageModel) -> dict[str, str]:
    return {"name": model.name, "path": str(model.path)}


def train_spec(job: FineTuningJob) -> dict[str, Any]:
    """Everything that training needs to know; the engine never asks back."""
    version = job.version
    assert version is not None  # noqa: S101 - a job is queued only once its version is ready
    has_validation = version.report["splits"]["validation"] > 0
    settings = dict(job.hyperparameters)
    weights = {"class_weights": version.class_weights} if settings.pop("class_weights", False) else {}
    return {
        **_common(job, "train"),
        "base_model": _named(job.base_model),
        "data": {
            "train": str(version.split_path("train")),
            "validation": str(version.split_path("validation")) if has_validation else None,
            **weights,
        },
        "method": job.method,
        "hyperparameters": settings,
    }


def _tuned(model: LanguageModel) -> dict[str, Any]:
    base = str(model.base.path) if model.is_adapter and model.base else None
    return {**_named(model), "base_path": base}


def evaluate_spec(job: FineTuningJob, model: LanguageModel) -> dict[str, Any]:
    """Both models on the test split."""
    assert job.version is not None  # noqa: S101 - as above
    return {
        **_common(job, "evaluate"),
        "base_model": _named(job.base_model),
        "tuned_model": _tuned(model),
        "data": {"test": str(job.version.split_path("test"))},
        "max_rows": TEST_ROWS,
        "max_new_tokens": ANSWER_TOKENS,
        "seed": job.seed,
    }


def safety_spec(job: FineTuningJob, model: LanguageModel) -> dict[str, Any]:
    """The fine-tune against the rows that taught it."""
    assert job.version is not None  # noqa: S101 - as above
    return {
        **_common(job, "safety"),
        "tuned_model": _tuned(model),
        "data": {"train": str(job.version.split_path("train"))},
        "canaries": job.version.recipe.get("canaries", []),
        "max_rows": 100,
        "seed": job.seed,
    }


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


def _error(outcome: str, failed: dict[str, Any]) -> dict[str, str]:
    if outcome == "out_of_memory":
        return {
            "code": "out_of_memory",
            "message": "The run took more memory than the machine has.",
            "fix": "Halve the batch size, or shorten the rows, and resume: it goes on from its last checkpoint.",
        }
    if failed:
        return {key: str(failed.get(key, "")) for key in ("code", "message", "fix")}
    return {
        "code": "engine_died",
        "message": "The training process ended without saying why.",
        "fix": "Resume the run: it goes on from its last checkpoint. The run folder's stderr has the details.",
    }


def run_phase(
    job: FineTuningJob,
    *,
    phase: str,
    spec: dict[str, Any],
    on_events: Callable[[Events, int], bool],
    on_tick: Callable[[], bool],
) -> Outcome:
    """Run one engine to its end. `on_events` gets each batch and the new offset; either callback may say stop."""
    folder = phase_folder(job, phase)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "spec.json"
    staging = folder / ".spec.json"
    staging.write_text(json.dumps(spec, indent=2), encoding="utf-8")
    staging.replace(path)
    tail = Tail(folder / "events.jsonl", int(job.offsets.get(phase, 0)))
    failed: dict[str, Any] = {}

    def look() -> bool:
        events = tail.read()
        for event in events:
            if event["kind"] == "failed":
                failed.update(event.get("data") or {})
        keeps = on_events(events, tail.offset) if events else True
        return on_tick() and keeps

    result = child.run(
        [*ENGINE, str(spec["kind"]), str(path)],
        stderr=folder / "stderr",
        cwd=settings.BASE_DIR,
        on_tick=look,
        limits=child.Limits(memory_bytes=settings.CHILD_MEMORY_BYTES),
    )
    look()
    if result.outcome in ("finished", "stopped"):
        return Outcome(result.outcome)
    return Outcome("failed", _error(result.outcome, failed))


def result_of(job: FineTuningJob, phase: str, name: str) -> dict[str, Any]:
    """The JSON file that a phase left behind."""
    found: dict[str, Any] = json.loads((phase_folder(job, phase) / name).read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True, slots=True)
class Fetched:
    """How fetching ended: `said` is {commit, licence} when `name` is finished, {code, message, fix} when it failed."""

    name: str
    said: dict[str, str] = field(default_factory=dict)


def fetch(wanted: BaseModelImport, *, on_tick: Callable[[int, int], bool]) -> Fetched:
    """Fetch a base model into its folder. `on_tick` gets the bytes that are here and all there will be (0: unknown)."""
    folder = wanted.folder
    folder.mkdir(parents=True, exist_ok=True)
    log, talk = (Path(settings.STUDIO_HOME) / "work" / f"{wanted.id}.{name}" for name in ("stderr", "stdout"))
    log.parent.mkdir(exist_ok=True)
    talk.unlink(missing_ok=True)
    result = child.run(
        [*HUB, "--repo", wanted.hub_id, "--revision", wanted.revision, "--out", str(folder)],
        stderr=log,
        stdout=talk,
        cwd=settings.BASE_DIR,
        on_tick=lambda: on_tick(_bytes_in(folder), int(_said(talk, "plan").get("bytes", 0))),
        env=_hub_environment(),
    )
    finished, failed = _said(talk, "finished"), _said(talk, "failed")
    for path in (log, talk):
        path.unlink(missing_ok=True)
    if result.outcome == "finished":
        return Fetched("finished", {key: str(finished[key]) for key in ("commit", "licence")})
    if result.outcome == "stopped":
        return Fetched("stopped")
    message = {"message": "Fetching ended without saying why.", "fix": "Ask again; the worker's log has the details."}
    return Fetched(
        "failed", {key: str(failed.get(key) or message.get(key, "failed")) for key in ("code", "message", "fix")}
    )


def _hub_environment() -> dict[str, str]:
    given = {"HF_ENDPOINT": settings.HUB_ENDPOINT, "HF_TOKEN": settings.HUB_TOKEN}
    found = {name: value for name, value in given.items() if value}
    return {**found, "HF_HUB_OFFLINE": "1" if settings.HUB_OFFLINE else "0"}


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # renamed when it was whole
            continue
    return total


def _said(talk: Path, kind: str) -> dict[str, Any]:
    """The last whole line of this kind."""
    lines = [line for line in talk.read_bytes().split(b"\n")[:-1] if line.strip()] if talk.exists() else []
    said = [json.loads(line) for line in lines]
    return next((each for each in reversed(said) if each.get("kind") == kind), {})
