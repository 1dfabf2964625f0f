"""The whole road on real files. In a file of its own: files are what is shared out among processes."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.journey, pytest.mark.timeout(1800)]


@pytest.mark.parametrize(("file", "rows"), [("head_of_banking77", 240), ("head_of_dialogues", 60)])
def test_the_road_is_walked_on_real_files(file: str, rows: int, embedded, request: pytest.FixtureRequest) -> None:
    demo = embedded.manage("demo", "--data", str(request.getfixturevalue(file)))
    assert demo.returncode == 0, demo.stdout[-3000:] + demo.stderr[-3000:]
    summary = json.loads((embedded.home / "demo" / "summary.json").read_text())
    kept, splits = summary["rows"]["kept"], summary["splits"]
    assert summary["rows"]["in"] == rows == kept + sum(summary["rows"]["dropped"].values())
    assert kept == splits["train"] + splits["validation"] + splits["test"] and splits["leaks"] == 0
    assert summary["tuned"]["perplexity"] < summary["base"]["perplexity"]
    assert summary["answer"].strip()
