"""Where a run may write: into a folder that is new or empty, or that holds an earlier run and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from datasets_app.curation.errors import Refusal

# What a run leaves behind, with the index of the row browser.
LEFT = (
    "train.parquet", "validation.parquet", "test.parquet", "ledger.parquet", "findings.parquet", "report.json",
    "facets.json", "vocabulary.json", "index*.parquet", "words*.parquet",
)  # fmt: skip


def check_output(out: Path, files: Sequence[Path]) -> None:
    """Raise Refusal where writing to `out` would take away what no run has made, or a file that is read."""
    whole = out.resolve()
    for file in files:
        if whole in (found := file.resolve(), *found.parents):
            message = f"The file {file.name} lies in the output folder, and what is there is replaced."
            raise Refusal(code="output_taken", message=message, fix="Name another folder with --out.")
    if not out.exists():
        return
    if not out.is_dir():
        raise Refusal(code="output_taken", message=f"{out.name} is no folder.", fix="Name another one with --out.")
    strange = sorted(each.name for each in out.iterdir() if not any(fnmatchcase(each.name, name) for name in LEFT))
    if strange:
        message = f"The folder {out.name} holds {strange[0]}, which no earlier run has left there."
        raise Refusal(code="output_taken", message=message, fix="Name a new or an empty folder with --out.")
