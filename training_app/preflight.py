"""The list that is gone through before a run: what would go wrong, and what to do about it. Reads only."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from datasets_app import recipes
from datasets_app.models import DatasetVersion, VersionState
from datasets_app.selectors import version_is_cleared
from training_app.models import LanguageModel

ADVISED_ROWS = 50
SPARE_BYTES = 512 * 1024**2
CHECKPOINT_FACTOR = 60  # bytes on disk a parameter: three checkpoints with optimiser state, the model, and slack


@dataclass(frozen=True, slots=True)
class Finding:
    """`severity` is stop, warning or fine."""

    title: str
    message: str
    severity: str
    fix: str = ""


def preflight(*, version: DatasetVersion, base_model: LanguageModel, hyperparameters: dict[str, Any]) -> list[Finding]:
    """Everything that is looked at, the worst first."""
    found = [_data(version), _cleared(version), _validation(version), _length(version, base_model), _disk(base_model)]
    if hyperparameters:
        found.append(_batch(version, hyperparameters))
    order = {"stop": 0, "warning": 1, "fine": 2}
    return sorted(found, key=lambda finding: order[finding.severity])


def _splits(version: DatasetVersion) -> dict[str, int]:
    splits: dict[str, int] = version.report.get("splits", {})
    return splits


def _data(version: DatasetVersion) -> Finding:
    title = "The data is frozen"
    if version.state != VersionState.READY:
        return Finding(title, f"{version} is {version.state}.", "stop", "Wait until it is ready, or choose another.")
    rows = _splits(version).get("train", 0)
    if rows == 0:
        return Finding(
            title, "No row is left to train on.", "stop", "Look at what was left out, and change the recipe."
        )
    if rows < ADVISED_ROWS:
        return Finding(title, f"Only {rows} rows to learn from.", "warning", f"{ADVISED_ROWS} or more teach better.")
    return Finding(title, f"{rows:,} rows to learn from, digest {version.digest[:12]}.", "fine")


def _cleared(version: DatasetVersion) -> Finding:
    title = "Personal data"
    if not version_is_cleared(version):
        why = recipes.why_seen(version.recipe)
        return Finding(
            title,
            f"The recipe {why}, and nobody has allowed it." if why else "A reviewer said no to this version.",
            "stop",
            "Ask a reviewer to decide.",
        )
    return Finding(title, "Hidden, or allowed by a reviewer.", "fine")


def _validation(version: DatasetVersion) -> Finding:
    title = "Validation rows"
    rows = _splits(version).get("validation", 0)
    if rows == 0:
        return Finding(
            title, "There are none: the run cannot stop early.", "warning", "Give validation a share in the recipe."
        )
    if rows < 10:
        return Finding(title, f"Only {rows}: the curve will jump about.", "warning", "More rows make it steadier.")
    return Finding(title, f"{rows:,} rows tell when to stop.", "fine")


def _length(version: DatasetVersion, base_model: LanguageModel) -> Finding:
    title = "Length of the rows"
    try:
        options = recipes.step(version.recipe, "tokens").get("options", {})
    except KeyError:
        options = {}
    counted = options.get("model", settings.STARTER_NAME)
    if options and counted != base_model.name:
        return Finding(
            title,
            f"Rows were measured with {counted}'s tokenizer, not with {base_model.name}'s.",
            "warning",
            f"Make a version whose token step counts with {base_model.name}.",
        )
    return Finding(title, f"Within {base_model.context_length:,} tokens.", "fine")


def _disk(base_model: LanguageModel) -> Finding:
    title = "Disk"
    free = shutil.disk_usage(settings.STUDIO_HOME).free
    need = base_model.parameters * CHECKPOINT_FACTOR + SPARE_BYTES
    if free < need:
        return Finding(
            title,
            f"{free / 1e9:.1f} GB free; the run may need {need / 1e9:.1f} GB.",
            "stop",
            "Free some space under STUDIO_HOME.",
        )
    return Finding(title, f"{free / 1e9:,.0f} GB free.", "fine")


def _batch(version: DatasetVersion, hyperparameters: dict[str, Any]) -> Finding:
    title = "Batch size"
    rows, batch = _splits(version).get("train", 0), int(hyperparameters["batch_size"])
    if rows and batch > rows:
        return Finding(
            title, f"A batch of {batch} is larger than the data ({rows} rows).", "warning", "Use a smaller one."
        )
    return Finding(title, f"{batch} rows a step.", "fine")
