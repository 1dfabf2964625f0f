"""A data set in Care, and a way to put files into it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app import selectors, services
from datasets_app.curation.pii.keys import Keys
from tests.worlds import HITS, make_version


@pytest.fixture
def dataset(as_bob, workspace, studio_home):
    return services.create_dataset(as_bob, workspace_id=workspace.id, name="Tickets")


@pytest.fixture
def upload(as_bob, dataset):
    """Put text into the data set, as a browser would: in pieces."""

    def put(text: str | bytes, name: str = "tickets.csv", **options):
        content = text.encode() if isinstance(text, str) else text
        chunks = [content[at : at + 1000] for at in range(0, len(content), 1000)]
        return services.add_file(as_bob, dataset=dataset, name=name, chunks=chunks, **options)

    return put


@pytest.fixture
def written(as_alice, studio_home):
    """A version whose one hit stands in the upload as `Jane.Roe@x.org`."""
    dataset = services.create_dataset(as_alice, workspace_id=as_alice.workspace_id, name="raw")
    lines = b"question,answer\nWhere?,There.\nWrite to  Jane.Roe@x.org please,Done.\n"
    services.add_file(as_alice, dataset=dataset, name="tickets.csv", chunks=[lines])
    version = make_version(as_alice, dataset=dataset)
    key = Keys(selectors.curation_secret(as_alice.workspace_id).encode()).of_value("EMAIL", "jane.roe@x.org")
    place = {"row": 1, "start": 9, "end": 23, "entity_type": "EMAIL", "first": "J", "value_key": key}
    pq.write_table(pa.Table.from_pylist([{**HITS[0], **place}]), version.folder / "findings.parquet")
    return version


def move_into_test(version) -> None:
    """Have the hit of `written` stand in a test row."""
    row = {"row_id": 0, "file": "tickets.csv", "row": 1, "label": None, "group": "", "cluster": 0, "tokens": 1}
    turns = [{"role": "user", "content": "write to [EMAIL] please"}, {"role": "assistant", "content": "Yes."}]
    pq.write_table(pa.Table.from_pylist([{**row, "messages": turns}]), version.split_path("test"))
    for path in version.folder.glob("index*.parquet"):
        path.unlink()


TOPICS = ("invoice", "password", "delivery", "refund", "printer", "holiday", "contract", "museum", "bicycle", "garden")


def csv_of(rows: int, *, start: int = 0) -> str:
    """Questions and answers that are no near-copies of one another; every third names an e-mail address."""
    lines = ["question,answer"]
    for number in range(start, start + rows):
        topic, other = TOPICS[number % 10], TOPICS[(number * 7 + number // 10) % 10]
        mail = f" Write to customer{number}@mail.example please." if number % 3 == 0 else ""
        words = " ".join(
            f"{letter}{number * factor % 997}" for letter, factor in zip("abcdef", (3, 5, 7, 11, 13, 17), strict=True)
        )
        lines.append(f"How do I find my {topic} {words}?{mail},Look under {other} number {number * number}.")
    return "\n".join(lines) + "\n"
