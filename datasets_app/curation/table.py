"""Rows on disk between the passes, in Parquet. Reads and writes batches; decides nothing."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from datasets_app.curation.dedupe import exact_key
from datasets_app.curation.errors import Refusal
from datasets_app.curation.rows import spoken

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
SCHEMA = pa.schema(
    [
        ("row_id", pa.int64()),
        ("file", pa.string()),
        ("row", pa.int64()),
        ("messages", MESSAGES),
        ("label", pa.string()),
        ("group", pa.string()),
        ("cluster", pa.int64()),
        ("tokens", pa.int32()),
        ("repeat", pa.int32()),
        ("part", pa.int32()),
        ("record", pa.string()),
    ]
)
WORKING = SCHEMA.append(pa.field("line", pa.int64()))
BATCH = 2000
NO_QUESTION = 0


class Writer:
    """`with Writer(path) as writer: writer.add(row)` appends rows (dicts) to a Parquet file in batches."""

    def __init__(self, path: Path, schema: pa.Schema = SCHEMA) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema)
        self._rows: list[dict[str, Any]] = []
        self.count = 0

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, error: type[BaseException] | None, *_rest: object) -> None:
        if error is None:
            self._flush()
        self._writer.close()

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        self.count += 1
        if len(self._rows) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def batches(path: Path) -> Iterator[list[dict[str, Any]]]:
    """The rows of a file, some thousand at a time."""
    for batch in pq.ParquetFile(path).iter_batches(batch_size=BATCH):
        yield batch.to_pylist()


def texts(path: Path, wanted: NDArray[np.bool_] | None = None) -> Iterator[tuple[int, str]]:
    """(place, what is said) of each row, or of those alone for which `wanted` is true."""
    place = 0
    for batch in pq.ParquetFile(path).iter_batches(batch_size=BATCH, columns=["messages"]):
        chosen = np.arange(len(batch)) if wanted is None else np.flatnonzero(wanted[place : place + len(batch)])
        said = batch.column(0).take(pa.array(chosen)).to_pylist()
        for at, messages in zip(chosen.tolist(), said, strict=True):
            yield place + at, spoken(messages)
        place += len(batch)


def questions(path: Path) -> NDArray[np.uint64]:
    """For each row 64 bits that rows have in common whose users say the same; NO_QUESTION where they say nothing."""
    found = array("Q")
    for batch in pq.ParquetFile(path).iter_batches(batch_size=BATCH, columns=["messages"]):
        for messages in batch.column(0).to_pylist():
            asked = "\n".join(each["content"] for each in messages if each["role"] == "user")
            key = exact_key(asked)[:8]
            found.append(int.from_bytes(key, "big") or 1 if asked.strip() else NO_QUESTION)
    return np.frombuffer(found, dtype=np.uint64)


def texts_of(paths: Sequence[Path]) -> Iterator[tuple[int, str]]:
    """What is said in each row of several files, counted through."""
    return enumerate(text for path in paths for _place, text in texts(path))


def places_in(path: Path) -> set[tuple[str, int]]:
    """(file, row) of each record that a split's rows came from."""
    found = pq.read_table(path, columns=["file", "row"])
    return set(zip(found["file"].to_pylist(), found["row"].to_pylist(), strict=True))


def row_count(path: Path) -> int:
    """Rows of a file."""
    return int(pq.read_metadata(path).num_rows)


def checked_count(path: Path) -> int:
    """Rows of a file that somebody named. Refusal where it holds no rows of a version."""
    fix = "Name the train, validation or test.parquet of a version."
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        message = f"{path.name} is no Parquet file that can be read."
        raise Refusal(code="bad_parquet", message=message, fix=fix) from error
    if not {"messages", "label", "file", "row", "cluster", "repeat"} <= set(file.schema_arrow.names):
        raise Refusal(code="bad_parquet", message=f"{path.name} holds no rows of a version.", fix=fix)
    return int(file.metadata.num_rows)


def origins(path: Path, wanted: Collection[int]) -> dict[int, tuple[str, int]]:
    """(file, row) of the wanted places."""
    found: dict[int, tuple[str, int]] = {}
    place = 0
    for batch in pq.ParquetFile(path).iter_batches(batch_size=BATCH, columns=["file", "row"]) if wanted else ():
        for at, (file, row) in enumerate(zip(*(column.to_pylist() for column in batch.columns), strict=True), place):
            if at in wanted:
                found[at] = (file, row)
        place += len(batch)
    return found
