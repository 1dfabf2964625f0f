"""Test rows with both models' answers and what each score is made of, in one Parquet file. Measures nothing.

`base_<metric>` and `tuned_<metric>` are the statistics that `sums` turns into scores, so that intervals can be drawn again
and people can compare answers without a model. The file holds test rows: whoever shows them says so in the audit log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NAME = "rows.parquet"
TURN = pa.struct([("role", pa.string()), ("content", pa.string())])
STATISTICS = pa.list_(pa.float64())
SIDES = ("base", "tuned")


def write_rows(path: Path, rows: Sequence[dict[str, Any]], statistics: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the file whole under its name; returns its SHA-256. `statistics` are by side, then by metric."""
    fields = [
        ("row_id", pa.int64()), ("file", pa.string()), ("row", pa.int64()), ("label", pa.string()),
        ("group", pa.string()),
        ("before", pa.list_(TURN)), ("reference", pa.string()), ("base", pa.string()), ("tuned", pa.string()),
        ("base_cut", pa.bool_()), ("tuned_cut", pa.bool_()),
        ("base_label", pa.string()), ("tuned_label", pa.string()),
    ]  # fmt: skip
    columns = {name: pa.array([row[name] for row in rows], type=kind) for name, kind in fields}
    for side in SIDES:
        for metric, values in statistics[side].items():
            columns[f"{side}_{metric}"] = pa.array(np.asarray(values, dtype=float).tolist(), type=STATISTICS)
    temporary = path.with_name(path.name + ".tmp")
    pq.write_table(pa.table(columns), temporary, compression="zstd")
    digest = hashlib.sha256(temporary.read_bytes()).hexdigest()
    temporary.rename(path)
    return digest


def read_statistics(path: Path, side: str) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """What `side` (base or tuned) brought to each metric, rows × columns."""
    beside = {f"{side}_{name}" for name in ("label", "cut")}
    names = [name for name in pq.read_schema(path).names if name.startswith(f"{side}_") and name not in beside]
    table = pq.read_table(path, columns=names)
    return {name.removeprefix(f"{side}_"): np.asarray(table[name].to_pylist(), dtype=float) for name in names}
