"""What the models above have learnt already: a run that goes on from a fine-tune is judged by rows that none of them saw."""

from __future__ import annotations

from datasets_app.contents.overlap import THRESHOLD, exam_rows_in
from datasets_app.models import DatasetVersion, VersionState
from training_app.models import LanguageModel
from training_app.preflight.finding import Finding

TITLE = "Exam rows that the base model has learnt"


def versions_above(base_model: LanguageModel) -> list[DatasetVersion]:
    """The versions that a model and the models it was made from have learnt, the newest first."""
    found: dict[str, DatasetVersion] = {}
    model: LanguageModel | None = base_model
    while model is not None:
        version = model.job.version if model.job else None
        if version is not None:
            found.setdefault(version.id, version)
        model = model.base
    return list(found.values())


def exam(version: DatasetVersion, base_model: LanguageModel) -> Finding | None:
    """Whether a fine-tune may be gone on from, and whether test rows stand in what it was taught; None where nobody taught
    it anything else here."""
    above = versions_above(base_model)
    if erased := [each for each in above if each.state == VersionState.ERASED]:
        return Finding(
            "What the start has learnt",
            f"{base_model} has learnt rows that were erased since ({', '.join(str(each) for each in erased)}): what goes on "
            "from it would keep what it made of them.",
            "stop",
            "Start from a base model, or from a fine-tune on data that stands.",
        )
    taught = [each for each in above if each.id != version.id]
    rows = version.report.get("splits", {}).get("test", 0)
    if not taught or not rows:
        return None
    names = ", ".join(str(each) for each in taught)
    found = exam_rows_in(taught, version)
    if found is None:
        return Finding(
            TITLE,
            f"The base model learnt from {names}. There are too many rows to compare them while you wait.",
            "warning",
            "Ask an operator to run: python -m datasets_app.curation leaks.",
        )
    if found:
        return Finding(
            TITLE,
            f"{found:,} of {rows:,} test rows have a near-duplicate (alike by {THRESHOLD:g} or more) among the rows that the "
            f"base model learnt from {names}: scores will look better than they are.",
            "warning",
            "Make a version without these rows, or start from a model that has not seen them.",
        )
    return Finding(TITLE, f"None of {rows:,} test rows stands in {names}, which the base model learnt.", "fine")
