"""Parquet, one record batch at a time. Cell values come out as plain Python values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from datasets_app.curation.errors import Refusal
from datasets_app.curation.readers.jsontext import mended
from datasets_app.curation.readers.stream import Place
from datasets_app.curation.rows import Record

BATCH_ROWS = 1000


def parquet_columns(path: Path, name: str) -> tuple[str, ...]:
    """Names of the columns. Raises Refusal where the file is no Parquet."""
    try:
        return tuple(pq.ParquetFile(path).schema_arrow.names)
    except (pa.ArrowException, OSError) as error:
        raise _broken(name) from error


def _broken(name: str) -> Refusal:
    return Refusal(
        code="broken_parquet",
        message=f"{name} is not a whole Parquet file.",
        fix="Write it again, or upload it as CSV or JSON Lines.",
    )


def read_parquet(path: Path, name: str, place: Place) -> Iterator[Record]:
    """Yield every row of the file; ``place`` follows in bytes, by share of rows."""
    row = 0
    size = path.stat().st_size
    try:
        file = pq.ParquetFile(path)
        total = max(1, file.metadata.num_rows)
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            for values in batch.to_pylist():
                yield Record(row, None, {column: mended(value) for column, value in values.items()})
                row += 1
            place.done = size * row // total
    except (pa.ArrowException, OSError) as error:
        raise _broken(name) from error
