"""An open text file that knows how far it has been read. Knows encodings, no formats."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from datasets_app.curation.readers.encoding import Encoding


@dataclass(slots=True)
class Place:
    """Where a reader is: bytes taken from the file so far."""

    done: int = 0


class _Counting(io.RawIOBase):
    """A raw file that counts what is read from it, because ``tell`` is refused while iterating."""

    def __init__(self, raw: BinaryIO, place: Place) -> None:
        self._raw = raw
        self._place = place

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        chunk = self._raw.read(len(view))
        view[: len(chunk)] = chunk
        self._place.done += len(chunk)
        return len(chunk)


@contextmanager
def open_text(path: Path, encoding: Encoding, *, newline: str | None, place: Place | None = None) -> Iterator[TextIO]:
    """Open ``path`` as text in ``encoding``; ``newline`` as for ``open``; ``place`` is kept up to date."""
    with path.open("rb", buffering=0) as raw:
        counted = io.BufferedReader(_Counting(raw, place or Place()), buffer_size=1 << 18)
        with io.TextIOWrapper(counted, encoding=encoding.name, errors=encoding.errors, newline=newline) as stream:
            yield stream
