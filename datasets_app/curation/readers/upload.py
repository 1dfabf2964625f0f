"""A file as it was uploaded: opened as one source, or as several where it is an archive or a workbook. Maps nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from datasets_app.curation.errors import Refusal
from datasets_app.curation.readers.archive import archive_kind, unpack
from datasets_app.curation.readers.options import AS_FOUND, Reading
from datasets_app.curation.readers.signatures import refuse_documents
from datasets_app.curation.readers.source import Source, open_file
from datasets_app.curation.readers.workbook import is_workbook
from datasets_app.curation.rows import Finding

Readings = Mapping[str, Reading]


@dataclass(slots=True)
class Upload:
    """The sources of one file, and what of it was refused: (name, why). At least one of both is there."""

    sources: list[Source] = field(default_factory=list)
    refused: list[tuple[str, Refusal]] = field(default_factory=list)


def reading_of(name: str, upload: str, readings: Readings) -> Reading:
    """What a person set for a file: under its whole name, its own name within the archive, or the archive's name."""
    for key in (name, PurePosixPath(name).name, upload):
        if key in readings:
            return readings[key]
    return AS_FOUND


def open_source(path: Path, reading: Reading = AS_FOUND) -> Source:
    """A plain file as a source; of a workbook, the first sheet. Raises Refusal; an archive is refused here."""
    return open_file(path, name=path.name, upload=path.name, reading=reading)[0]


@contextmanager
def opened(path: Path, readings: Readings | None = None) -> Iterator[Upload]:
    """Open ``path``; what an archive holds lies in a scratch folder until the end. Raises Refusal where nothing can be
    read of it."""
    known, name = readings or {}, path.name
    try:
        is_archive = archive_kind(path) is not None and not is_workbook(path)
    except OSError:
        is_archive = False  # opening it says so in a sentence
    if not is_archive:
        yield Upload(open_file(path, name=name, upload=name, reading=reading_of(name, name, known)))
        return
    refuse_documents(path, name)
    with tempfile.TemporaryDirectory(prefix="unpacked-") as scratch:
        yield _from_archive(path, Path(scratch), known)


def _from_archive(path: Path, scratch: Path, readings: Readings) -> Upload:
    unpacked = unpack(path, path.name, scratch)
    found = Upload(refused=unpacked.refused)
    for member in unpacked.members:
        reading = reading_of(member.name, path.name, readings)
        try:
            found.sources += open_file(member.path, name=member.name, upload=path.name, reading=reading)
        except Refusal as refusal:
            found.refused.append((member.name, refusal))
    if not found.sources:
        raise found.refused[0][1]
    if unpacked.passed_over:
        note = "Entries of the archive that hold no data (hidden files, resource forks) were passed over."
        first = found.sources[0]
        told = (*first.notes, Finding("info", note, count=unpacked.passed_over))
        found.sources[0] = replace(first, notes=told)
    return found
