"""One pass over the training rows as they were written: all that is told of a version's quality, with its warnings."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from datasets_app.curation.balance import effective_classes, imbalance
from datasets_app.curation.dedupe import numbers, split_words
from datasets_app.curation.quality.diversity import SAMPLE, Commonest, Distinct, Lengths
from datasets_app.curation.quality.groups import People
from datasets_app.curation.quality.warnings import warnings_of
from datasets_app.curation.rows import REJECTED
from datasets_app.curation.table import BATCH

_COLUMNS = ["messages", "label", "file", "row", "cluster", "repeat"]
MOST_FILES = 20
PARTS = ("questions", "answers")


class _Measures:
    def __init__(self) -> None:
        self.rows = 0
        self.files: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        self.clusters = array("q")
        self.distinct = {part: Distinct() for part in PARTS}
        self.lengths = {part: Lengths() for part in PARTS}
        self.answers, self.people = Commonest(), People()

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """A block of rows. An answer that is the label itself says nothing about answers."""
        said: dict[str, list[Any]] = {part: [] for part in PARTS}
        for row in rows:
            asked, answered = (list(_said(row, part)) for part in PARTS)
            words = {"questions": _words(asked), "answers": _words(answered)}
            for part in PARTS if answered else PARTS[:1]:
                said[part].append(numbers(words[part]))
                self.lengths[part].add(len(words[part]))
            if answered:
                self.answers.add("\n".join(answered), (row["file"], row["row"]))
            self.people.add((*words["questions"], *words["answers"]), row["label"])
            self.files[row["file"]] += 1
            if row["label"]:
                self.labels[row["label"]] += 1
            self.clusters.append(row["cluster"])
        self.rows += len(rows)
        for part, texts in said.items():
            self.distinct[part].add(texts)

    def coverage(self) -> dict[str, Any]:
        """Near-copies are one thing said: `coverage` is the share of rows that remain if each is said once."""
        _names, sizes = np.unique(np.frombuffer(self.clusters, dtype=np.int64), return_counts=True)
        return {
            "clusters": len(sizes),
            "largest": int(sizes.max()) if len(sizes) else 0,
            "coverage": round(len(sizes) / max(1, self.rows), 4),
        }


def _said(row: Mapping[str, Any], part: str) -> Iterator[str]:
    if part == "questions":
        return (each["content"] for each in row["messages"] if each["role"] == "user")
    answers = (each["content"] for each in row["messages"] if each["role"] not in ("user", "system", REJECTED))
    return (text for text in answers if text != row["label"])


def _words(texts: Sequence[str]) -> list[str]:
    return [word for text in texts for word in split_words(text)]


def _classes(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, Any]:
    """How even the labels are before and after balancing; `after` counts what balancing wrote again."""
    if not after:
        return {}
    ordered = sorted(after.items(), key=lambda pair: (pair[1], pair[0]))
    ends = {"smallest": ordered[0], "largest": ordered[-1]}
    return {
        "count": len(after),
        "imbalance": {"before": imbalance(before or after), "after": imbalance(after)},
        "effective": {"before": effective_classes(before or after), "after": effective_classes(after)},
        **{name: {"label": label, "rows": rows} for name, (label, rows) in ends.items()},
    }


def measured(train: Sequence[Path], *, before: Mapping[str, int] | None = None) -> dict[str, Any]:
    """The quality of training rows; see docs/architecture.md for its shape. `before`: rows by label before balancing.

    Rows that balancing wrote again count once, but in `classes`. Memory: twelve bytes a row, 32 MB for the words.
    """
    found, after = _Measures(), Counter[str]()
    for path in train:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=BATCH, columns=_COLUMNS):
            rows = batch.to_pylist()
            after.update(row["label"] for row in rows if row["label"])
            found.add([row for row in rows if not row["repeat"]])
    body = {
        "rows": found.rows,
        "words": {part: lengths for part in PARTS if (lengths := found.lengths[part].as_json())},
        "distinct": {
            part: {**found.distinct[part].shares(), "sample": SAMPLE} for part in PARTS if found.lengths[part].as_json()
        },
        "commonest_answer": found.answers.as_json(),
        "clusters": found.coverage(),
        "files": {"count": len(found.files), "rows": dict(found.files.most_common(MOST_FILES))},
        "labels": dict(found.labels.most_common()),
        "classes": _classes(before or {}, after),
        "people": found.people.as_json(),
    }
    return {**{name: part for name, part in body.items() if name != "labels"}, "warnings": warnings_of(body)}
