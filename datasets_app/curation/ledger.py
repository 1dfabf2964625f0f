"""The row ledger: every row that did not make it, with the reason. Written as it comes, in Parquet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from datasets_app.curation.pii.hider import Hider
from datasets_app.curation.pii.lists import Values
from datasets_app.curation.pii.masking import masked

SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("row", pa.int64()),
        ("line", pa.int64()),
        ("step", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("text", pa.string()),
    ]
)
BATCH = 2000
TEXT_CHARACTERS = 500
QUOTED = "“"  # how details quote what a file says


def _safe(texts: Sequence[str], personal: Sequence[Values], hider: Hider) -> Iterator[str]:
    """The beginning of each text; it is cut after hiding, for half a number would not be recognised."""
    seen = [text[: 2 * TEXT_CHARACTERS].encode("utf-8", "backslashreplace").decode() for text in texts]
    for text, spans in zip(seen, hider.find(seen, personal), strict=True):
        yield masked(text, spans)[:TEXT_CHARACTERS]


def without_quotes(details: Sequence[str], personal: Sequence[Values], hider: Hider) -> list[str]:
    """Details with all hidden that is found in them, where they quote something; their own words hold nothing personal."""
    found = [detail.encode("utf-8", "backslashreplace").decode() for detail in details]
    quoting = [place for place, detail in enumerate(found) if QUOTED in detail]
    spans = hider.find([found[place] for place in quoting], [personal[place] for place in quoting])
    for place, each in zip(quoting, spans, strict=True):
        found[place] = masked(found[place], each)
    return found


class Losses(Protocol):
    """Where steps say which rows they leave out."""

    def drop(
        self,
        *,
        file: str,
        row: int,
        line: int | None,
        step: str,
        reason: str,
        detail: str,
        text: str = "",
        personal: Values = (),
    ) -> None:
        """One row that does not make it, with what of its text is known to be personal."""


class Ledger:
    """`with Ledger(path) as ledger: ledger.drop(…)`; `reasons` and `steps` count what was dropped.

    Texts, and details that quote them, are kept with all hidden that the `hider` finds.
    """

    def __init__(self, path: Path, hider: Hider | None = None) -> None:
        self._hider = hider or Hider()
        self._writer = pq.ParquetWriter(path, SCHEMA)
        self._rows: list[dict[str, object]] = []
        self._personal: list[Values] = []
        self.reasons: Counter[str] = Counter()
        self.steps: Counter[str] = Counter()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, error: type[BaseException] | None, *_rest: object) -> None:
        if error is None:
            self._flush()
        self._writer.close()

    def drop(
        self,
        *,
        file: str,
        row: int,
        line: int | None,
        step: str,
        reason: str,
        detail: str,
        text: str = "",
        personal: Values = (),
    ) -> None:
        """One row that did not make it. Personal data in `text` and `detail` is hidden, whatever the recipe says."""
        self.reasons[reason] += 1
        self.steps[step] += 1
        self._rows.append(
            {
                "file": file,
                "row": row,
                "line": line,
                "step": step,
                "reason": reason,
                "detail": detail,
                "text": text[: 2 * TEXT_CHARACTERS],
            }
        )
        self._personal.append(personal)
        if len(self._rows) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            texts = _safe([str(row["text"]) for row in self._rows], self._personal, self._hider)
            details = without_quotes([str(row["detail"]) for row in self._rows], self._personal, self._hider)
            for row, text, detail in zip(self._rows, texts, details, strict=True):
                row["text"], row["detail"] = text, detail
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=SCHEMA))
            self._rows, self._personal = [], []
