"""Lineage: from files over versions and models to deployments, seen from any of them, both ways."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from datasets_app import selectors as data
from datasets_app.models import DatasetFile, DatasetVersion
from gptstudio.core.errors import NotFound
from gptstudio.overview import selectors
from serving_app import selectors as serving
from serving_app.models import Deployment
from training_app import selectors as training
from training_app.models import LanguageModel


@dataclass(frozen=True, slots=True)
class Lineage:
    """Everything on the lines through one thing, oldest first. `here` is that thing's id."""

    here: str
    files: list[DatasetFile] = field(default_factory=list)
    versions: list[DatasetVersion] = field(default_factory=list)
    models: list[LanguageModel] = field(default_factory=list)
    deployments: list[tuple[Deployment, list[str]]] = field(default_factory=list)


def below(workspace_id: str, version_ids: Iterable[str], *, here: str = "") -> Lineage:
    """What these versions were made from and what came of them."""
    versions = selectors.versions_by_id(workspace_id, version_ids)
    files = {file.id: file for version in versions for file in data.brought_files(version)}
    models = selectors.models_from(workspace_id, [version.id for version in versions])
    deployments = selectors.deployments_with(workspace_id, [model.id for model in models])
    ordered = sorted(files.values(), key=lambda file: (file.created_at, file.id))
    return Lineage(here, ordered, versions, models, deployments)


def lineage_of(workspace_id: str, subject_id: str) -> Lineage:
    """The lineage of a data set, file, version, fine-tune, model or deployment. NotFound for what is none of these."""
    prefix = subject_id.replace("-", "_").partition("_")[0]
    if prefix == "ds":
        found = data.dataset_of(workspace_id, subject_id)
        versions = selectors.versions_with(workspace_id, dataset_id=found.id)
        return below(workspace_id, [each.id for each in versions], here=subject_id)
    if prefix == "file":
        file = data.file_of(workspace_id, subject_id)
        versions = selectors.versions_with(workspace_id, file_ids=[file.id])
        found_line = below(workspace_id, [each.id for each in versions], here=subject_id)
        return found_line if found_line.versions else Lineage(subject_id, files=[file])
    if prefix == "dsv":
        return below(workspace_id, [data.version_of(workspace_id, subject_id).id], here=subject_id)
    if prefix == "ftjob":
        job = training.job_of(workspace_id, subject_id)
        return below(workspace_id, [job.version_id] if job.version_id else [], here=subject_id)
    if prefix == "model":
        return _of_models(workspace_id, [training.model_of(workspace_id, subject_id)], here=subject_id)
    if prefix == "dep":
        revision = serving.current_revision(serving.deployment_of(workspace_id, subject_id))
        models = [training.model_of(workspace_id, target["model"]) for target in revision.targets]
        return _of_models(workspace_id, models, here=subject_id)
    raise NotFound(f"There is no {subject_id[:60]} in this workspace.", fix="Use the id of a file, version or model.")


def _of_models(workspace_id: str, models: list[LanguageModel], *, here: str) -> Lineage:
    """What stands above these models, and what came of them."""
    lines = {model.id: model for each in models for model in selectors.line_above(each)}
    versions = [model.job.version_id for model in lines.values() if model.job is not None and model.job.version_id]
    above = below(workspace_id, [each for each in versions if each], here=here)
    asked = {model.id for model in models}
    tuned = [each for each in above.models if each.id in lines or _descends(each, asked)]
    kept = {model.id: model for model in [*lines.values(), *tuned]}
    ordered = sorted(kept.values(), key=lambda model: (model.created_at, model.id))
    deployments = selectors.deployments_with(workspace_id, kept)
    return Lineage(here, above.files, above.versions, ordered, deployments)


def _descends(model: LanguageModel, from_ids: set[str]) -> bool:
    return any(each.id in from_ids for each in selectors.line_above(model))
