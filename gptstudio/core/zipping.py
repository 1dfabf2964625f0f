"""A folder as a zip, made while it is read: nothing of it lies in memory or on disk but the piece under way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

PIECE = 1 << 20
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # zip's first day: the same folder gives the same bytes


class _Pipe:
    """What ZipFile writes to; it cannot go back, so sizes and checksums stand behind each file."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._held.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        found, self._held = b"".join(self._held), []
        return found


def zipped(folder: Path, *, name: str, beside: Mapping[str, bytes] | None = None) -> Iterator[bytes]:
    """The files below `folder` as a zip of a folder `name`, stored as they are: weights do not get smaller.

    `beside` are further files by name, which are in the zip alone.
    """
    pipe = _Pipe()
    with ZipFile(pipe, "w", ZIP_STORED) as archive:  # type: ignore[call-overload]  # it asks for no more than write
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = ZipInfo(f"{name}/{path.relative_to(folder).as_posix()}", LONG_AGO)
            entry.external_attr = 0o644 << 16
            entry.file_size = path.stat().st_size
            with path.open("rb") as file, archive.open(entry, "w") as member:
                while piece := file.read(PIECE):
                    member.write(piece)
                    yield pipe.taken()
            yield pipe.taken()
        for further, content in (beside or {}).items():
            entry = ZipInfo(f"{name}/{further}", LONG_AGO)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    yield pipe.taken()
