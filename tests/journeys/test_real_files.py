"""The whole road on real files, on the embedded set-up. In a file of its own: files are what is shared out among processes."""

from __future__ import annotations

import pytest

from tests.journeys.test_road import walked

pytestmark = [pytest.mark.journey, pytest.mark.timeout(1800)]


@pytest.mark.parametrize(("file", "rows"), [("head_of_banking77", 240), ("head_of_dialogues", 60)])
def test_the_road_is_walked_on_real_files(file: str, rows: int, embedded, request: pytest.FixtureRequest) -> None:
    summary = walked(embedded, request.getfixturevalue(file), rows=rows)
    assert summary["tuned"]["perplexity"] < summary["base"]["perplexity"]
