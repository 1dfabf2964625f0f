"""A row's record as it came: what the steps began with."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from datasets_app import selectors
from datasets_app.contents.refusals import sentences
from datasets_app.curation.browsing.record import AsItCame, record_of
from datasets_app.curation.readers.options import readings_from_json
from datasets_app.models import DatasetVersion, file_behind
from gptstudio.core.errors import NotFound

LARGEST = 256 * 1024 * 1024


def as_it_came(version: DatasetVersion, row: dict[str, Any]) -> AsItCame:
    """The record behind a row. NotFound where the file was erased, or is too large to be read while somebody waits."""
    behind = file_behind(selectors.files_by_name(version), row["file"])
    if behind is None or not behind[0].path.is_file():
        raise NotFound(f"The file {row['file']} is no longer kept here.")
    file = behind[0]
    if file.bytes > LARGEST:
        raise NotFound(
            f"{file.name} is too large to be searched while you wait.",
            fix=f"Download it and look at row {row['row'] + 1:,}.",
        )
    with tempfile.TemporaryDirectory(prefix="studio-record-") as folder, sentences():
        name = row["file"].removesuffix(behind[1])
        link = Path(folder) / (f"{name}.gz" if file.name.lower().endswith(".gz") and not behind[1] else name)
        link.symlink_to(file.path)  # readers go by the ending, and uploads are named by their digest
        readings = readings_from_json({link.name: file.reading}) if file.reading else {}
        found = record_of(link, name=row["file"], row=row["row"], readings=readings)
    if found is None:
        raise NotFound(f"{row['file']} has no row {row['row'] + 1:,}.")
    return found
