"""A data set in Care, and a way to put files into it."""

from __future__ import annotations

import pytest

from datasets_app import services


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
