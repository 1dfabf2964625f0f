"""Texts as sets of words and word pairs, made once and kept in a file: who compares many reads them many times."""

from __future__ import annotations

import hashlib
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from datasets_app.curation.dedupe import split_words

_MIX = np.uint64(0xD6E8FEB86659FD93)
_WRITTEN_AT_ONCE = 1 << 20
_BYTES = 8
Members = NDArray[np.uint64]
Places = NDArray[np.int64]
Wanted = NDArray[np.bool_]


@lru_cache(maxsize=1 << 16)
def _number(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "backslashreplace"), digest_size=_BYTES).digest(), "big")


def members(text: str) -> Members:
    """The distinct words of a text, and each word with its follower, as 64-bit numbers, sorted. A text without words is
    a set of the text itself."""
    words = np.array([_number(word) for word in split_words(text) or [text.strip()]], dtype=np.uint64)
    pairs = ((words[:-1] ^ (words[:-1] >> np.uint64(32))) * _MIX + words[1:]) * _MIX
    return np.unique(np.concatenate([words, pairs]))


class Some(NamedTuple):
    """Some of the sets: the place of each, how many members it has, and the members of all, one set after the other."""

    places: Places
    sizes: Places
    values: Members


class MemberSets:
    """`with MemberSets(texts) as sets: sets.batches(most)`. Texts come with their places, any numbers that rise. The file
    has no name, lies in `folder` (or where the system keeps such files) and is gone at the end; memory holds two numbers
    for each text."""

    def __init__(self, texts: Iterable[tuple[int, str]], folder: Path | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it lives as long as this does
        places, sizes = array("q"), array("q")
        waiting: list[Members] = []
        held = 0
        for place, text in texts:
            waiting.append(members(text))
            places.append(place)
            sizes.append(len(waiting[-1]))
            held += sizes[-1]
            if held >= _WRITTEN_AT_ONCE:
                self._file.write(np.concatenate(waiting).data)
                waiting, held = [], 0
        if waiting:
            self._file.write(np.concatenate(waiting).data)
        self._file.flush()
        self._places = np.frombuffer(places, dtype=np.int64)
        self._sizes = np.frombuffer(sizes, dtype=np.int64)
        self._starts = np.concatenate([[0], np.cumsum(self._sizes)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def batches(self, most: int, wanted: Wanted | None = None) -> Iterator[Some]:
        """The sets, as many at a time as have `most` members, one at least; those alone whose place is true in `wanted`."""
        chosen = np.arange(len(self._places)) if wanted is None else np.flatnonzero(wanted[self._places])
        ends = np.cumsum(self._sizes[chosen])
        first = 0
        while first < len(chosen):
            before = ends[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(ends, before + most, "right")))
            rows = chosen[first:last]
            yield Some(self._places[rows], self._sizes[rows], self._read(rows))
            first = last

    def _read(self, rows: Places) -> Members:
        """The members of these sets. Neighbours are read in one go, with what lies between them."""
        found = np.empty(int(self._sizes[rows].sum()), dtype=np.uint64)
        at = 0
        for start in range(0, len(rows), 4096):
            part = rows[start : start + 4096]
            first, last = int(part[0]), int(part[-1]) + 1
            self._file.seek(int(self._starts[first]) * _BYTES)
            size = int(self._starts[last] - self._starts[first])
            values = np.frombuffer(self._file.read(size * _BYTES), dtype=np.uint64)
            mask = np.zeros(last - first, dtype=bool)
            mask[part - first] = True
            kept = values[np.repeat(mask, self._sizes[first:last])]
            found[at : at + len(kept)] = kept
            at += len(kept)
        return found
