"""Reading the test rows that evaluations keep: the answers that people see, and which of them belong together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training_app.models import Evaluation

ANSWER_COLUMNS = (
    *("row_id", "file", "row", "label", "before", "reference", "base", "tuned"),
    *("base_cut", "tuned_cut", "base_label", "tuned_label"),
)


def answers_of(evaluation: Evaluation, places: Sequence[int] | None = None) -> list[dict[str, Any]]:
    """Test rows with both models' answers, those at `places` in that order or all; none where they were erased.

    They are test rows: whoever shows them calls `open_test_rows` first.
    """
    import pyarrow.parquet as pq

    if not evaluation.answers.exists():
        return []
    kept = pq.read_schema(evaluation.answers).names  # earlier releases kept fewer
    rows = pq.read_table(evaluation.answers, columns=[name for name in ANSWER_COLUMNS if name in kept]).to_pylist()
    wanted = range(len(rows)) if places is None else [place for place in places if 0 <= place < len(rows)]
    return [{"place": place, **rows[place]} for place in wanted]


def groups_of(evaluation: Evaluation) -> list[str]:
    """To which group of rows that belong together each stored test row belongs, by place. Each to its own where the file is
    of a release that did not say.
    """
    import pyarrow.parquet as pq

    names = pq.read_schema(evaluation.answers).names
    if "group" not in names:
        return [str(place) for place in range(pq.read_metadata(evaluation.answers).num_rows)]
    return [str(group) for group in pq.read_table(evaluation.answers, columns=["group"])["group"].to_pylist()]
