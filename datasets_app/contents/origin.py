"""A row's records as they came: what the steps began with. And how a version read its files."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets_app import selectors
from datasets_app.contents.refusals import sentences
from datasets_app.curation.browsing.record import AsItCame, records_behind
from datasets_app.curation.layouts import mapping_from_json
from datasets_app.curation.readers.options import readings_from_json
from datasets_app.curation.recipe import Recipe
from datasets_app.models import DatasetVersion, file_behind
from gptstudio.core.errors import NotFound

LARGEST = 256 * 1024 * 1024


def reading_of(body: Mapping[str, Any], file_id: str, *, name: str) -> Recipe:
    """How a recipe reads and joins one of its files, which lies there under `name`. It has no steps."""
    mapping, parts = body.get("mapping"), body.get("reading", {}).get(file_id)
    readings = readings_from_json({name: parts}) if parts else {}
    return Recipe((), mapping_from_json(mapping) if mapping else None, readings=readings)


def as_it_came(version: DatasetVersion, row: dict[str, Any]) -> list[AsItCame]:
    """The records behind a row: one, or each turn of a conversation that was joined. NotFound where the file was erased,
    or is too large to be read while somebody waits."""
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
        recipe = reading_of(version.recipe, file.id, name=link.name)
        found = records_behind(link, name=row["file"], row=row["row"], recipe=recipe)
    if not found:
        raise NotFound(f"{row['file']} has no row {row['row'] + 1:,}.")
    return found
