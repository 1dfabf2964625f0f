"""findings.parquet: a trace of every hit of a version, written as rows come in. Holds no value in clear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.pii.traces import schema
from datasets_app.curation.table import Writer

FINDINGS = "findings.parquet"


class Findings:
    """`with Findings(path, keys) as findings: findings.add(traces, ids)`.

    `chance` counts stand-ins that happen to be a value of the data, which the report tells; 8 bytes a distinct value.
    """

    def __init__(self, path: Path, keys: Keys) -> None:
        self._writer, self._keys = Writer(path, schema()), keys
        self._values: set[int] = set()
        self._stand_ins: set[int] = set()

    def __enter__(self) -> Findings:
        return self

    def __exit__(self, error: type[BaseException] | None, *rest: object) -> None:
        self._writer.__exit__(error, *rest)

    @property
    def count(self) -> int:
        """Hits so far."""
        return self._writer.count

    @property
    def chance(self) -> int:
        """Stand-ins so far that somebody in the data has for real."""
        return len(self._values & self._stand_ins)

    def add(self, traces: Iterable[dict[str, Any]], ids: Mapping[int, int]) -> None:
        """The traces of a chunk; `ids` gives rows of the file that were kept their id."""
        for trace in traces:
            trace["row_id"] = ids.get(trace["row"])
            self._writer.add(trace)
            if trace["action"] == "pseudonym":
                key = self._keys.of_value(trace["entity_type"], trace["replacement"])
                self._values.add(int(trace["value_key"], 16))
                self._stand_ins.add(int(key, 16))
