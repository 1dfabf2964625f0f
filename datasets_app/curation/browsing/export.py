"""A version's rows as a file for others: JSON lines as OpenAI takes them, CSV that no spreadsheet runs, Parquet.

Yields bytes a batch at a time; memory does not grow with the number of rows.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from datasets_app.curation.rows import preferred

FORMS = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
BATCH = 2000
HEAD = ("split", "file", "row", "label", "tokens", "question", "answer", "conversation")
RISKY = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet may run a cell that begins so; OWASP, "CSV Injection"


def export(folder: Path, *, splits: Sequence[str], form: str) -> Iterator[bytes]:
    """The rows of ``splits`` in the order of the version. ``form`` is one of FORMS.

    JSON lines say nothing of splits, so that several splits are a zip of as many files: test rows must not be trained on.
    """
    paths = [(split, folder / f"{split}.parquet") for split in splits]
    if form == "parquet":
        return _parquet(paths)
    if form == "csv":
        return _csv(paths)
    return _zipped(paths) if len(paths) > 1 else _lines(paths)


def _batches(paths: Sequence[tuple[str, Path]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    import pyarrow.parquet as pq  # late: most requests never look into a version

    for split, path in paths:
        if path.exists():
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=BATCH):
                    yield split, batch.to_pylist()


def _lines(paths: Sequence[tuple[str, Path]]) -> Iterator[bytes]:
    for _split, rows in _batches(paths):
        lines = [json.dumps(_chat(row["messages"]), ensure_ascii=False) for row in rows]
        yield "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _zipped(paths: Sequence[tuple[str, Path]]) -> Iterator[bytes]:
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for split, path in paths:
            entry = zipfile.ZipInfo(f"{split}.jsonl")
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as member:
                for piece in _lines([(split, path)]):
                    member.write(piece)
                    yield sink.taken()
    yield sink.taken()


def _chat(turns: list[Any]) -> dict[str, Any]:
    """A row as OpenAI's clients upload it: a conversation, or a question with a preferred and another answer."""
    alone = preferred(turns)
    if len(alone) == len(turns):
        return {"messages": turns}
    other = [{"role": "assistant", "content": turns[-1]["content"]}]
    return {"input": {"messages": alone[:-1]}, "preferred_output": alone[-1:], "non_preferred_output": other}


def safe(cell: object) -> object:
    """The cell as it may stand in a CSV file: a quotation mark before what a spreadsheet would take for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(RISKY) else cell


def _csv(paths: Sequence[tuple[str, Path]]) -> Iterator[bytes]:
    yield ("\ufeff" + ",".join(HEAD) + "\r\n").encode()  # the mark tells Excel that it is UTF-8
    for split, rows in _batches(paths):
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        for row in rows:
            writer.writerow([safe(cell) for cell in _cells(split, row)])
        yield buffer.getvalue().encode("utf-8", "replace")


def _cells(split: str, row: dict[str, Any]) -> list[object]:
    """Question and answer are the last two turns; a longer conversation stands whole, as JSON, in the last cell."""
    turns = preferred(row["messages"])
    asked = [turn["content"] for turn in turns[:-1] if turn["role"] == "user"]
    question = asked[-1] if asked else ""
    whole = json.dumps(row["messages"], ensure_ascii=False) if len(row["messages"]) > 2 else ""
    return [split, row["file"], row["row"], row["label"], row["tokens"], question, turns[-1]["content"], whole]


class _Sink(io.RawIOBase):
    """Takes what the Parquet writer writes and hands it on."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def write(self, data: Any) -> int:
        part = bytes(data)
        self.parts.append(part)
        self.at += len(part)
        return len(part)

    def taken(self) -> bytes:
        whole, self.parts = b"".join(self.parts), []
        return whole


def _parquet(paths: Sequence[tuple[str, Path]]) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = _Sink()
    there = [(split, path) for split, path in paths if path.exists()]
    schema = pq.read_schema(there[0][1]) if there else pa.schema([])
    writer = pq.ParquetWriter(sink, schema.append(pa.field("split", pa.string())).remove_metadata())
    for split, path in there:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=BATCH):
                names = pa.array([split] * batch.num_rows, pa.string())
                writer.write_table(
                    pa.Table.from_batches([batch]).replace_schema_metadata().append_column("split", names)
                )
                yield sink.taken()
    writer.close()
    yield sink.taken()
