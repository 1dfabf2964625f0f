"""What the version itself says: frozen, cleared, enough rows to learn from and to look at."""

from __future__ import annotations

from typing import Any

from datasets_app import recipes
from datasets_app.models import DatasetVersion, VersionState
from datasets_app.selectors import version_is_cleared, why_seen
from training_app.preflight.finding import Act, Finding

ADVISED_ROWS = 50
ADVISED_VALIDATION = 10
BEING_MADE = (VersionState.QUEUED, VersionState.BUILDING)


def splits(version: DatasetVersion) -> dict[str, int]:
    """Rows by split; empty before the version is made."""
    found: dict[str, int] = version.report.get("splits", {})
    return found


def frozen(version: DatasetVersion) -> Finding:
    """Whether there are rows that will not change."""
    title = "The data is frozen"
    if version.state in BEING_MADE:
        return Finding(title, f"{version} is being made; the run begins once it is ready.", "warning")
    if version.state != VersionState.READY:
        return Finding(title, f"{version} is {version.state}.", "stop", "Choose another version.")
    rows = splits(version).get("train", 0)
    if rows == 0:
        return Finding(
            title, "No row is left to train on.", "stop", "Look at what was left out, and change the recipe."
        )
    if rows < ADVISED_ROWS:
        return Finding(title, f"Only {rows} rows to learn from.", "warning", f"{ADVISED_ROWS} or more teach better.")
    return Finding(title, f"{rows:,} rows to learn from, digest {version.digest[:12]}.", "fine")


def cleared(version: DatasetVersion) -> Finding:
    """Whether personal data is hidden, or somebody allowed it."""
    title = "Personal data"
    if version_is_cleared(version):
        is_shown = recipes.why_seen(version.recipe) and version.is_made_up
        said = "Made up: nobody's data." if is_shown else "Hidden, or allowed by a reviewer."
        return Finding(title, said, "fine")
    why = why_seen(version)
    return Finding(
        title,
        f"The recipe {why}, and nobody has allowed it." if why else "A reviewer said no to this version.",
        "stop",
        "Ask a reviewer to decide.",
        Act("ask_review", "Ask a reviewer"),
    )


def validation(version: DatasetVersion) -> Finding:
    """Whether there are rows that tell when to stop."""
    title = "Validation rows"
    rows = splits(version).get("validation", 0)
    if rows == 0:
        return Finding(
            title, "There are none: the run cannot stop early.", "warning", "Give validation a share in the recipe."
        )
    if rows < ADVISED_VALIDATION:
        only = "Only one" if rows == 1 else f"Only {rows}"
        return Finding(title, f"{only}: the curve will jump about.", "warning", "More rows make it steadier.")
    return Finding(title, f"{rows:,} rows tell when to stop.", "fine")


def test(version: DatasetVersion) -> Finding:
    """Whether there are rows on which the fine-tune is compared with its base model, as every run is."""
    title, rows = "Test rows", splits(version).get("test", 0)
    if rows == 0:
        return Finding(
            title,
            "There are none: what comes of the run could not be compared with the base model.",
            "stop",
            "Give test a share in the recipe, or bring more rows.",
        )
    return Finding(title, f"{rows:,} rows compare it with the base model.", "fine")


def batch(version: DatasetVersion, hyperparameters: dict[str, Any]) -> Finding:
    """Whether a step's rows are fewer than all rows."""
    title = "Batch size"
    rows, asked = splits(version).get("train", 0), int(hyperparameters["batch_size"])
    if rows and asked > rows:
        fitting = 1 << (rows.bit_length() - 1)
        return Finding(
            title,
            f"A batch of {asked} is larger than the data ({rows} rows).",
            "warning",
            "Use a smaller one.",
            Act("fill", f"Use {fitting}", {"batch_size": fitting}),
        )
    return Finding(title, f"{asked} rows a step.", "fine")
