"""Where a person's data is: in which uploads and which versions, and how many rows. Keeps nothing of what was looked for."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets_app import selectors
from datasets_app.contents.origin import reading_of
from datasets_app.contents.refusals import sentences
from datasets_app.contents.tombstones import says
from datasets_app.curation.browsing.rows import Place
from datasets_app.curation.browsing.traces import Descent, descent, marks_of, records_saying, rows_from, rows_saying
from datasets_app.curation.erasure import MOST_WORDS, Phrase
from datasets_app.curation.pii.keys import Keys
from datasets_app.models import CurationRecipe, DatasetFile, DatasetVersion, WordList, run_names, written_down
from gptstudio.core.errors import Invalid, StudioError

WHILE_WAITING = 512 * 1024 * 1024  # bytes of uploads that are searched while somebody waits for the page
Body = Mapping[str, Any]  # a recipe, of which the mapping and the readings count
Records = dict[str, list[int]]  # by source: the file itself, or a member of it


@dataclass(frozen=True, slots=True)
class FileTrace:
    """Records of one upload by their numbers in it; `whole` are those of which every row is meant, however they are
    joined; `problem` says why it could not be searched."""

    file: DatasetFile
    records: Records = field(default_factory=dict)
    whole: Records = field(default_factory=dict)
    problem: str = ""

    @property
    def count(self) -> int:
        return sum(map(len, self.records.values()))


@dataclass(frozen=True, slots=True)
class VersionTrace:
    """Rows of one version: those that say it, and those that came from the records, hidden or not; none where its recipe
    alone says it. `rows`: all that came
    from the records by the version's own numbers, those that it left out among them; by file and part (`file-1/may.csv`).
    """

    version: DatasetVersion
    places: list[Place]
    saying: int
    rows: Records


@dataclass(frozen=True, slots=True)
class Written:
    """What people wrote down beside the data and says it: lists of words, each with its number of such entries, and
    recipes kept under a name, those put away too."""

    lists: list[tuple[WordList, int]] = field(default_factory=list)
    recipes: list[CurationRecipe] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.lists) + len(self.recipes)


@dataclass(frozen=True, slots=True)
class DataTrace:
    """Every upload and version that holds something of it, oldest first; and what was written down of it."""

    files: list[FileTrace]
    versions: list[VersionTrace]
    written: Written = field(default_factory=Written)


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
    return _traced(workspace_id, files, _Search(phrase), phrase)


def trace_record(file: DatasetFile, row: int, part: str = "") -> DataTrace:
    """The same for one record of one upload, whatever it says."""
    records = {f"{_unpacked(file.name)}{part}": [row]}
    return _traced(file.dataset.workspace_id, [file], _Search(None, records), None)


class _Search:
    """The uploads as one trace reads them: each once for every way in which versions read and join it.

    Looks for a phrase, or has the records given.
    """

    def __init__(self, phrase: Phrase | None, given: Records | None = None) -> None:
        self.phrase, self.given = phrase, given or {}
        self._records: dict[tuple[str, str], Records] = {}
        self._descents: dict[tuple[str, str], dict[str, Descent]] = {}

    def records(self, file: DatasetFile, body: Body) -> Records:
        """Numbers of the records, by source. Invalid where the file cannot be read to its end, for who asks first; who
        asks again gets those before."""
        if self.phrase is None:
            return self.given
        key = (file.id, json.dumps(body.get("reading", {}).get(file.id), sort_keys=True))
        if key not in self._records:
            found = self._records[key] = {}
            readings = reading_of(body, file.id, name=file.name).readings
            with _linked(file) as path, sentences():
                for source, row in records_saying(path, self.phrase, readings):
                    found.setdefault(source, []).append(row)
        return self._records[key]

    def descent(self, file: DatasetFile, body: Body) -> dict[str, Descent]:
        """What the records became under a recipe, by source."""
        parts = (body.get("mapping"), body.get("reading", {}).get(file.id))
        key = (file.id, json.dumps(parts, sort_keys=True))
        if key not in self._descents:
            self._descents[key] = {}
            if records := self.records(file, body):
                recipe = reading_of(body, file.id, name=file.name)
                with _linked(file) as path, sentences():
                    self._descents[key] = descent(path, recipe, records, self.phrase)
        return self._descents[key]


@contextmanager
def _linked(file: DatasetFile) -> Iterator[Path]:
    """The upload under its own name: readers go by the ending, and uploads are named by their digest."""
    with tempfile.TemporaryDirectory(prefix="studio-trace-") as folder:
        link = Path(folder) / file.name
        link.symlink_to(file.path)
        yield link


def marks_in(found: FileTrace, keys: Keys) -> dict[str, dict[int, str]]:
    """A digest of the cells of each record found in an upload, by source and number, as its data set reads it now."""
    file = found.file
    if not found.whole or not file.path.is_file():
        return {}
    body = {"mapping": file.dataset.mapping, "reading": {file.id: file.reading} if file.reading else {}}
    with _linked(file) as path:
        return marks_of(path, reading_of(body, file.id, name=file.name).readings, found.whole, keys)


def _unpacked(name: str) -> str:
    """What rows call a file that is packed alone."""
    return name[:-3] if name.lower().endswith(".gz") else name


def _traced(workspace_id: str, files: Sequence[DatasetFile], search: _Search, phrase: Phrase | None) -> DataTrace:
    found = [_file_trace(file, search) for file in files]
    ids = {file.id for file in files if file.path.is_file()}
    versions = [
        _version_trace(version, search, ids, phrase)
        for version in selectors.kept_versions(workspace_id)
        if version.folder.is_dir()
    ]
    return DataTrace(
        [each for each in found if each.records or each.problem],
        [each for each in versions if each.places or (phrase and says(each.version.recipe, phrase))],
        written_of(workspace_id, phrase) if phrase else Written(),
    )


def written_of(workspace_id: str, phrase: Phrase) -> Written:
    """The lists of words and the recipes of a workspace that say the phrase."""
    lists, kept = written_down(workspace_id)
    counted = ((each, sum(map(phrase.is_in, each.words))) for each in lists)
    return Written(
        [(each, count) for each, count in counted if count], [each for each in kept if says(each.body, phrase)]
    )


def _file_trace(file: DatasetFile, search: _Search) -> FileTrace:
    """One upload as its data set reads and joins it now."""
    if not file.path.is_file():
        return FileTrace(file, problem="Its bytes are not where they should be.")
    body = {"mapping": file.dataset.mapping, "reading": {file.id: file.reading} if file.reading else {}}
    problem = ""
    try:
        search.records(file, body)
    except StudioError as error:
        problem = str(error)
    records = search.records(file, body)  # where the file broke off, those before
    whole = {source: each.whole for source, each in search.descent(file, body).items()}
    return FileTrace(file, records, whole, problem)


def _version_trace(
    version: DatasetVersion, search: _Search, ids: Collection[str], phrase: Phrase | None
) -> VersionTrace:
    rows: Records = {}
    shown: Records = {}
    files = selectors.brought_files(version)
    for file, name in zip(files, run_names(files), strict=True):
        found = search.descent(file, version.recipe) if file.id in ids else {}
        for source, each in found.items():
            part = source.removeprefix(_unpacked(file.name))
            rows[f"{file.id}{part}"] = each.rows
            shown[f"{_unpacked(name)}{part}"] = each.rows
    with sentences():
        saying = rows_saying(version.folder, phrase) if phrase else []
        descending = rows_from(version.folder, shown)
    return VersionTrace(version, list(dict.fromkeys([*saying, *descending])), len(saying), rows)


def places_of_row(version: DatasetVersion, file: DatasetFile, part: str, row: int) -> list[Place]:
    """Where the rows of a file with this number lie in a version; `part` as in `file_behind`."""
    files = selectors.brought_files(version)
    names = dict(zip([each.id for each in files], run_names(files), strict=True))
    with sentences():
        return rows_from(version.folder, {f"{_unpacked(names[file.id])}{part}": [row]}) if file.id in names else []
