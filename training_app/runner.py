"""The door to the training engine: a spec into the run folder, a child process, events out; base models from a hub."""

from __future__ import annotations

import json
import shutil
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from gptstudio.core import child
from training_app.endings import Kills, error_of, how_ended
from training_app.estimates import TEST_ROWS
from training_app.launching import engine_call, grace_for, processes_for
from training_app.models import BaseModelImport, FineTuningJob, JobPhase, LanguageModel, Measurement, ModelExport
from training_app.tail import Events, Tail

HUB = (sys.executable, "-m", "training_app.engine.hub")
MOST_ANSWER_TOKENS = 512  # however long the references are: it bounds what a comparison takes on a CPU
REPORTS = {"inspect": "inspection.json", "estimate": "estimate.json"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a phase ended: finished, stopped, failed, out_of_memory, or killed (by whom is not known, but not for memory).

    `error` is {code, message, fix} unless it finished or stopped; `result` is what was measured before a start. `saved` is
    false of what was stopped and had no time to save.
    """

    name: str
    error: dict[str, str] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    saved: bool = True


def phase_folder(job: FineTuningJob, phase: str) -> Path:
    """Training runs in the run folder itself, evaluation and safety below it."""
    return job.folder if phase == JobPhase.TRAIN else job.folder / phase


def _common(job: FineTuningJob | Measurement | ModelExport, kind: str) -> dict[str, Any]:
    return {
        "v": 1,
        "kind": kind,
        "job": job.id,
        "attempt": job.attempt,
        "device": settings.TRAINING_DEVICE,
        "threads": settings.TRAINING_THREADS,
    }


def _start(model: LanguageModel) -> dict[str, Any]:
    """What a run starts from and is compared with: a base model, or a fine-tune."""
    return _tuned(model) if model.is_adapter else {"name": model.name, "path": str(model.path)}


def train_spec(job: FineTuningJob | Measurement, *, share: float = 1.0) -> dict[str, Any]:
    """Everything that training needs to know; the engine never asks back. `share`: of the training rows."""
    version = job.version
    assert version is not None  # noqa: S101 - a job is queued only once its version is ready
    has_validation = version.report["splits"]["validation"] > 0
    settings = dict(job.hyperparameters)
    weights = {"class_weights": version.class_weights} if settings.pop("class_weights", False) else {}
    return {
        **_common(job, "train"),
        "base_model": _start(job.base_model),
        "data": {
            "train": str(version.split_path("train")),
            "validation": str(version.split_path("validation")) if has_validation else None,
            **weights,
            **({"train_share": share} if share < 1.0 else {}),
        },
        "method": job.method,
        "hyperparameters": settings,
    }


def _tuned(model: LanguageModel) -> dict[str, Any]:
    base = str(model.base.path) if model.is_adapter and model.base else None
    return {"name": model.name, "path": str(model.path), "base_path": base}


def evaluate_spec(job: FineTuningJob, model: LanguageModel, *, share: float = 1.0) -> dict[str, Any]:
    """Both models on the test split, with this share of the usual rows at a time."""
    assert job.version is not None  # noqa: S101 - as above
    return {
        **_common(job, "evaluate"),
        "base_model": _start(job.base_model),
        "tuned_model": _tuned(model),
        "data": {
            "test": str(job.version.split_path("test")),
            "labels": sorted(job.version.report.get("classes", {}).get("train", {})),
        },
        "max_rows": TEST_ROWS,
        "max_new_tokens": MOST_ANSWER_TOKENS,
        # Of the version, not of the run: all runs on a version are scored on the same rows.
        "seed": zlib.crc32(job.version.digest.encode()),
        "batch_share": share,
        "objective": job.hyperparameters.get("objective", "supervised"),
    }


def safety_spec(
    job: FineTuningJob, model: LanguageModel, *, limits: dict[str, float], share: float = 1.0
) -> dict[str, Any]:
    """The fine-tune against the rows that taught it, asks and provocations, under its workspace's limits."""
    assert job.version is not None  # noqa: S101 - as above
    return {
        **_common(job, "safety"),
        "tuned_model": _tuned(model),
        "data": {"train": str(job.version.split_path("train"))},
        "canaries": job.version.recipe.get("canaries", []),
        "max_rows": 100,
        "seed": job.seed,
        "limits": limits,
        "batch_share": share,
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
    kills = Kills()
    is_to_stop = saved = False

    def look() -> bool:
        nonlocal is_to_stop, saved
        events = tail.read()
        saved |= is_to_stop and any(event["kind"] == "checkpoint" for event in events)
        for event in events:
            if event["kind"] == "failed" and event["attempt"] == job.attempt:
                failed.update(event.get("data") or {})
        keeps = on_events(events, tail.offset) if events else True
        kills.tick()
        is_to_stop |= not (on_tick() and keeps)
        return not is_to_stop

    result = child.run(
        engine_call(spec, path),
        stderr=folder / "stderr",
        cwd=settings.BASE_DIR,
        on_tick=look,
        limits=child.Limits(memory_bytes=settings.CHILD_MEMORY_BYTES),
        grace_seconds=grace_for(spec),
        outlasts_worker=True,
    )
    look()
    name = how_ended(result, kills, processes=processes_for(spec), has_said=bool(failed))
    if name in ("finished", "stopped"):
        return Outcome(name, saved=saved or result.returncode in (0, child.STOPPED))
    return Outcome(name, error_of(name, failed, doing=str(spec["kind"])))


def result_of(job: FineTuningJob, phase: str, name: str) -> dict[str, Any]:
    """The JSON file that a phase left behind."""
    found: dict[str, Any] = json.loads((phase_folder(job, phase) / name).read_text(encoding="utf-8"))
    return found


@contextmanager
def _aside(
    held: Measurement | ModelExport, spec: dict[str, Any], on_tick: Callable[[], bool]
) -> Iterator[tuple[Path, Outcome]]:
    """Run an engine in a scratch folder that is gone afterwards: it holds rows and weights."""
    folder = Path(settings.STUDIO_HOME) / "work" / f"{held.id}.{held.attempt}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        path = folder / "spec.json"
        path.write_text(json.dumps(spec), encoding="utf-8")
        kills = Kills()

        def look() -> bool:
            kills.tick()
            return on_tick()

        ended = child.run(
            engine_call(spec, path),
            stderr=folder / "stderr",
            stdout=folder / "stdout",
            cwd=settings.BASE_DIR,
            on_tick=look,
            limits=child.Limits(memory_bytes=settings.CHILD_MEMORY_BYTES),
        )
        failed = _said(folder / "stdout", "failed").get("data") or {}
        name = how_ended(ended, kills, processes=processes_for(spec), has_said=bool(failed))
        is_error = name not in ("finished", "stopped")
        yield folder, Outcome(name, error_of(name, failed, doing=str(spec["kind"])) if is_error else {})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(held: Measurement, *, on_tick: Callable[[], bool]) -> Outcome:
    """Run `inspect`, which loads no weights and needs no GPU, or `estimate`."""
    spec = train_spec(held) | {"kind": held.kind} | ({"device": "cpu"} if held.kind == "inspect" else {})
    with _aside(held, spec, on_tick) as (folder, outcome):
        if outcome.name != "finished":
            return outcome
        return Outcome("finished", result=json.loads((folder / REPORTS[held.kind]).read_text(encoding="utf-8")))


def export(held: ModelExport, *, on_tick: Callable[[], bool], on_made: Callable[[Path, Events], object]) -> Outcome:
    """Make a model in a form for elsewhere. `on_made` gets the folder, to move away, and its files {name, size, sha256}."""
    model = held.model
    spec = {**_common(held, "export"), "model": _tuned(model), "form": held.form, "licence": model.licence or None}
    with _aside(held, {**spec, "device": "cpu"}, on_tick) as (folder, outcome):
        if outcome.name == "finished":
            report = json.loads((folder / "export.json").read_text(encoding="utf-8"))
            on_made(folder / "made", report["files"])
        return outcome


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
