"""A frozen version's folder with rows that are easy to count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app.curation.table import SCHEMA


def row(number: int, question: str, answer: str = "Yes.", **fields: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    usual = {"row_id": number, "file": "tickets.csv", "row": number, "label": None, "group": f"g{number}"}
    return {**usual, "cluster": number, "tokens": None, "messages": turns, **fields}


@pytest.fixture
def folder(tmp_path) -> Callable[..., Path]:
    """`folder(train=[row(…)], test=[…])` writes the splits, in row groups of ten."""

    def write(name: str = "version", **splits: list[dict[str, Any]]) -> Path:
        place = tmp_path / name
        place.mkdir()
        for split in ("train", "validation", "test"):
            table = pa.Table.from_pylist(splits.get(split, []), schema=SCHEMA)
            pq.write_table(table, place / f"{split}.parquet", row_group_size=10)
        return place

    return write


@pytest.fixture
def shop(folder) -> Path:
    """Sixty training rows, four for the exam; rows 10 to 12 are near-copies, every sixth is about refunds."""
    train = [
        row(
            number,
            f"Where is parcel {number}? " + "please " * (number % 7),
            "Ask [EMAIL] or [PHONE]." if number % 10 == 0 else "On its way.",
            label="refund" if number % 6 == 0 else "delivery",
            cluster=10 if 10 <= number <= 12 else number,
        )
        for number in range(60)
    ]
    exam = [row(100 + number, f"Is GRÜN number {number} there?") for number in range(4)]
    return folder(train=train, test=exam)
