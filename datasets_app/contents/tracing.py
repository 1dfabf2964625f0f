"""Where a person's data is: in which uploads and which versions, and how many rows. Keeps nothing of what was looked for."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datasets_app import selectors
from datasets_app.contents.refusals import sentences
from datasets_app.curation.browsing.rows import Place
from datasets_app.curation.browsing.traces import records_saying, rows_from, rows_saying
from datasets_app.curation.erasure import MOST_WORDS, Phrase
from datasets_app.curation.readers.options import readings_from_json
from datasets_app.models import DatasetFile, DatasetVersion, run_names
from gptstudio.core.errors import Invalid, StudioError

WHILE_WAITING = 512 * 1024 * 1024  # bytes of uploads that are searched while somebody waits for the page
Records = dict[str, list[int]]  # by source: the file itself, or a member of it


@dataclass(frozen=True, slots=True)
class FileTrace:
    """Records of one upload; `problem` says why it could not be searched."""

    file: DatasetFile
    records: Records = field(default_factory=dict)
    problem: str = ""

    @property
    def count(self) -> int:
        return sum(map(len, self.records.values()))


@dataclass(frozen=True, slots=True)
class VersionTrace:
    """Rows of one version: those that say it, and those that came from the records, hidden or not."""

    version: DatasetVersion
    places: list[Place]
    saying: int


@dataclass(frozen=True, slots=True)
class DataTrace:
    """Every upload and version that holds something of it, oldest first."""

    files: list[FileTrace]
    versions: list[VersionTrace]


def phrase_of(text: str) -> Phrase:
    """What is looked for. Invalid where it is no phrase, or so short that it is in everybody's rows."""
    phrase = Phrase.of(text)
    if len(phrase.text.replace(" ", "")) < 4:
        raise Invalid("That is too short to be looked for.", fix="Write a whole name or an address.", param="text")
    if phrase.words > MOST_WORDS:
        raise Invalid(f"That has more than {MOST_WORDS} words.", fix="Write a name or an address.", param="text")
    return phrase


def trace_phrase(workspace_id: str, phrase: Phrase, *, at_ease: bool = False) -> DataTrace:
    """Search everything that is kept. `at_ease`: nobody waits, so that the size does not matter."""
    files = list(selectors.kept_uploads(workspace_id))
    size = sum(file.bytes for file in files)
    if size > WHILE_WAITING and not at_ease:
        raise Invalid(
            f"The uploads hold {size // 1024**2:,} MB, which is too much to be searched while you wait.",
            fix="Ask an operator to run: manage.py trace_erasure",
        )
    found = [_file_trace(file, phrase) for file in files]
    return _with_versions(workspace_id, [each for each in found if each.records or each.problem], phrase)


def trace_record(file: DatasetFile, row: int, part: str = "") -> DataTrace:
    """The same for one record of one upload, whatever it says."""
    shown = f"{file.name}{part}"
    return _with_versions(file.dataset.workspace_id, [FileTrace(file, {shown: [row]})], None)


def _file_trace(file: DatasetFile, phrase: Phrase) -> FileTrace:
    if not file.path.is_file():
        return FileTrace(file, problem="Its bytes are not where they should be.")
    records: Records = {}
    with tempfile.TemporaryDirectory(prefix="studio-trace-") as folder:
        link = Path(folder) / file.name  # readers go by the ending, and uploads are named by their digest
        link.symlink_to(file.path)
        readings = readings_from_json({file.name: file.reading}) if file.reading else {}
        try:
            with sentences():
                for source, row in records_saying(link, phrase, readings):
                    records.setdefault(source, []).append(row)
        except StudioError as error:
            return FileTrace(file, records, problem=str(error))
    return FileTrace(file, records)


def _with_versions(workspace_id: str, files: Sequence[FileTrace], phrase: Phrase | None) -> DataTrace:
    by_file = {each.file.id: each.records for each in files}
    versions = []
    for version in selectors.kept_versions(workspace_id):
        if not version.folder.is_dir():
            continue
        with sentences():
            saying = rows_saying(version.folder, phrase) if phrase else []
            descending = rows_from(version.folder, _by_shown_name(version, by_file))
        places = list(dict.fromkeys([*saying, *descending]))
        if places:
            versions.append(VersionTrace(version, places, len(saying)))
    return DataTrace(list(files), versions)


def _by_shown_name(version: DatasetVersion, by_file: Mapping[str, Records]) -> Records:
    """Records by the names that the version's rows carry: two uploads of one name are told apart in it."""
    found: Records = {}
    files = selectors.brought_files(version)
    for file, name in zip(files, run_names(files), strict=True):
        for source, rows in by_file.get(file.id, {}).items():
            own = file.name[:-3] if file.name.lower().endswith(".gz") else file.name
            shown = name[:-3] if name.lower().endswith(".gz") else name
            found[shown + source.removeprefix(own)] = rows
    return found
