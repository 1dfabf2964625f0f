"""A model in a form for elsewhere: an adapter merged into its base, or one GGUF file. Knows no store and no network."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError

from training_app.engine.artifact import ONE_FILE
from training_app.engine.device import pick_device
from training_app.engine.errors import EngineError, RunStopped
from training_app.engine.events import EventLog
from training_app.engine.model import Speaker, load_speaker, merged_dtype, stored_dtype
from training_app.engine.reports import write_report
from training_app.engine.spec import ExportSpec
from training_app.engine.stopping import StopRequest

MADE, REPORT = "made", "export.json"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FULL_SIGNS = (
    "No space left",
    "os error 28",
    "File too large",
    "requested and",
)  # safetensors' and numpy's words for it
CARD = "README.md"


def export_model(spec: ExportSpec, events: EventLog, stop: StopRequest) -> None:
    """Leave `<run>/made/` with the model and `<run>/export.json` with size and SHA-256 of each file; or neither."""
    events.write("started", pid=os.getpid(), device=spec.common.device, threads=spec.common.threads, resumed_from=None)
    device = pick_device(spec.common.device, spec.common.threads)
    target = spec.common.run / MADE
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    try:
        speaker = load_speaker(spec.model, dtype=_dtype(spec), device=device)
        _check(stop)
        with _room_for(spec.model.name):
            if spec.form == "merged":
                _write_merged(spec, speaker, target)
            else:
                _write_gguf(spec, speaker, target, stop)
            write_report(spec.common.run / REPORT, {"version": 1, "files": _sealed(target)})
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    events.write("saved", path=MADE)
    events.write("finished", reason="completed")


def _dtype(spec: ExportSpec) -> torch.dtype:
    if spec.model.base_path is None:
        return stored_dtype(spec.model.path)
    return torch.float32 if spec.form != "merged" else merged_dtype(spec.model.base_path)


def _write_merged(spec: ExportSpec, speaker: Speaker, target: Path) -> None:
    speaker.model.save_pretrained(target, max_shard_size=ONE_FILE)
    speaker.tokenizer.save_pretrained(target)
    card = spec.model.path / CARD
    told = card.read_text(encoding="utf-8") if card.is_file() else f"# {spec.model.name}\n"
    merged = "This folder holds the adapter merged into its base model: nothing is needed beside it."
    (target / CARD).write_text(f"{told.rstrip()}\n\n{merged}\n", encoding="utf-8")


def _write_gguf(spec: ExportSpec, speaker: Speaker, target: Path, stop: StopRequest) -> None:
    from training_app.engine.gguf_model import write_gguf  # a merged model has no use for it

    numbers = spec.form.removeprefix("gguf-")
    path = target / f"model-{numbers}.gguf"
    write_gguf(speaker, path, numbers=numbers, licence=spec.licence, on_tensor=lambda: _check(stop))


def _check(stop: StopRequest) -> None:
    if stop.requested:
        raise RunStopped("The export was stopped; nothing of it is kept.")


@contextmanager
def _room_for(name: str) -> Iterator[None]:
    """Turn the errors of a full disk into EngineError `disk_full`; all others pass."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        if getattr(error, "errno", None) in FULL or any(sign in str(error) for sign in FULL_SIGNS):
            raise EngineError(
                "disk_full",
                f"There is no room on the studio's disk for {name} in this form. Nothing of it was kept.",
                fix="Free some disk space, then ask for it again.",
            ) from error
        raise


def _sealed(folder: Path) -> list[dict[str, str | int]]:
    """Name, size and SHA-256 of each file, which are on the disk when this returns."""
    found: list[dict[str, str | int]] = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found.append({"name": path.name, "size": path.stat().st_size, "sha256": digest})
    return found
