"""A row's record as it came: what the steps began with."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from datasets_app import selectors
from datasets_app.contents.refusals import sentences
from datasets_app.curation.browsing.record import AsItCame, record_of
from datasets_app.models import DatasetVersion
from gptstudio.core.errors import NotFound

LARGEST = 256 * 1024 * 1024


def as_it_came(version: DatasetVersion, row: dict[str, Any]) -> AsItCame:
    """The record behind a row. NotFound where the file was erased, or is too large to be read while somebody waits."""
    file = selectors.files_by_name(version).get(row["file"])
    if file is None or not file.path.is_file():
        raise NotFound(f"The file {row['file']} is no longer kept here.")
    if file.bytes > LARGEST:
        raise NotFound(
            f"{file.name} is too large to be searched while you wait.",
            fix=f"Download it and look at record {row['row']:,}.",
        )
    with tempfile.TemporaryDirectory(prefix="studio-record-") as folder, sentences():
        link = Path(folder) / file.name  # readers go by the ending, and uploads are named by their digest
        link.symlink_to(file.path)
        found = record_of(link, row["row"])
    if found is None:
        raise NotFound(f"{file.name} has no record {row['row']:,}.")
    return found
