"""`manage.py verify_model ID`: every digest on the way from uploads to weights, taken again and compared.

Nothing is made again: a version's digest is taken from its stored rows (`verify_version --stored`), with `--again` by
curating its files once more. Ends with 1 when something differs or is missing; what was erased or put away left its digest,
and is said, but counts as in order.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from datasets_app.models import DatasetFile, DatasetVersion, VersionState
from datasets_app.selectors import files_of_version
from gptstudio.core import artifacts
from gptstudio.core.digests import file_digest
from gptstudio.core.errors import StudioError
from gptstudio.core.storage import StorageTrouble
from training_app import selectors
from training_app.models import FineTuningJob, LanguageModel

FINE, DIFFERS, MISSING, ERASED = "fine", "differs", "missing", "erased"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing on the way stands."""

    state: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.state:<8} {self.subject}: {self.detail}"


def _compared(subject: str, kept: str, found: str) -> Finding:
    if found == kept:
        return Finding(FINE, subject, kept)
    return Finding(DIFFERS, subject, f"kept under {kept}, is now {found}")


def _erased(subject: str, thing: DatasetFile | DatasetVersion) -> Finding:
    when = f"{thing.erased_at:%Y-%m-%d}" if thing.erased_at else "an unknown day"
    return Finding(
        ERASED, subject, f"gone, by erasure on {when} ({thing.erased_because}); its digest was {thing.digest}"
    )


def _upload(file: DatasetFile) -> Finding:
    subject = f"upload {file.name} ({file.id})"
    if file.erased_at is not None:
        return _erased(subject, file)
    if not file.path.is_file():
        return Finding(MISSING, subject, f"no file is kept under {file.digest}")
    return _compared(subject, file.digest, file_digest(file.path))


def _version(version: DatasetVersion, *, again: bool) -> Finding:
    subject = f"data {version} ({version.id})"
    if version.state == VersionState.ERASED:
        return _erased(subject, version)
    try:
        call_command("verify_version", version.id, stored=not again, stdout=StringIO())
    except CommandError as error:
        return Finding(DIFFERS, subject, str(error))
    return Finding(FINE, subject, version.digest)


def _folder(noun: str, model: LanguageModel) -> Finding:
    subject = f"{noun} {model.name} ({model.id})"
    if model.weights_deleted_at is not None:
        when = f"{model.weights_deleted_at:%Y-%m-%d}"
        return Finding(ERASED, subject, f"put away on {when}, its weights with it; its digest was {model.digest}")
    if not model.path.is_dir():
        return Finding(MISSING, subject, f"no folder is kept under {model.digest}")
    return _compared(subject, model.digest, artifacts.folder_digest(model.path))


def _told(job: FineTuningJob) -> dict[str, Any]:
    """What a spec says that makes the weights what they are; folders by their names, for homes may move."""
    settings = {name: value for name, value in job.hyperparameters.items() if name != "class_weights"}
    return {
        "job": job.id,
        "base_model": [job.base_model.name, job.base_model.digest],
        "data": [job.version_id, "train.parquet"],
        "method": job.method,
        "hyperparameters": settings,
    }


def _said(spec: dict[str, Any]) -> dict[str, Any]:
    base = spec.get("base_model") or {}
    return {
        **{name: spec.get(name) for name in ("job", "method", "hyperparameters")},
        "base_model": [base.get("name"), Path(str(base.get("path"))).name],
        "data": list(Path(str((spec.get("data") or {}).get("train"))).parts[-2:]),
    }


def _spec(model: LanguageModel, job: FineTuningJob) -> Finding:
    subject = f"spec of {job.name} ({job.id})"
    try:
        spec = json.loads((model.path / "spec.json").read_text(encoding="utf-8"))
        said = _said(spec)
    except FileNotFoundError:
        return Finding(MISSING, subject, "the model's folder has no spec.json")
    except (OSError, ValueError, AttributeError):
        return Finding(DIFFERS, subject, "spec.json in the model's folder cannot be read")
    told = _told(job)
    apart = [name.replace("_", " ") for name in told if told[name] != said.get(name)]
    if apart:
        return Finding(DIFFERS, subject, f"the job has another {', '.join(apart)} than spec.json in the model's folder")
    return Finding(FINE, subject, "says what the job says")


def _seen(subject: str, look: Callable[[], Finding]) -> Finding:
    """What a look finds; a copy in the bucket that is not what was written is a finding, too."""
    try:
        return look()
    except StorageTrouble as trouble:
        return Finding(DIFFERS, subject, str(trouble))


def way_to(model: LanguageModel, *, again: bool = False) -> Iterator[Finding]:
    """Everything from the uploads to the weights, that of its base model first."""
    if model.base is not None:
        yield from way_to(model.base, again=again)
    job = model.job
    if job is not None and job.version is not None:
        for file in files_of_version(job.version):
            yield _seen(f"upload {file.name} ({file.id})", partial(_upload, file))
        yield _version(job.version, again=again)
        yield _seen(f"spec of {job.name} ({job.id})", partial(_spec, model, job))
    noun = "model" if model.base is not None else "base model"
    yield _seen(f"{noun} {model.name} ({model.id})", partial(_folder, noun, model))


class Command(BaseCommand):
    help = "Take every digest on the way from uploads to a model's weights again, and say what differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="model_…")
        parser.add_argument("--again", action="store_true", help="curate the data once more, too (slow)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            model = selectors.model_to_verify(options["model"])
        except StudioError as error:
            raise CommandError(str(error)) from error
        wrong = 0
        for found in way_to(model, again=options["again"]):
            self.stdout.write(str(found))
            wrong += found.state in (DIFFERS, MISSING)
        if wrong:
            raise CommandError(f"{wrong} of these {'is' if wrong == 1 else 'are'} not as it was kept.")
        self.stdout.write("Everything that is kept is as it was.")
