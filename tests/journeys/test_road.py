"""The whole road: upload, detect, curate, train, evaluate, release, deploy, a streamed answer, its bill.

Here on PostgreSQL and Redis; on the embedded set-up in `test_real_files.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import SetUp

pytestmark = [pytest.mark.journey, pytest.mark.timeout(1800)]


def walked(studio: SetUp, file: Path, *, rows: int) -> dict[str, Any]:
    """The demo's summary, once all that holds for every file was found true."""
    demo = studio.manage("demo", "--data", str(file))
    log = (studio.home / "demo" / "studio.log").read_text() if (studio.home / "demo" / "studio.log").exists() else ""
    assert demo.returncode == 0, demo.stdout[-3000:] + demo.stderr[-3000:] + log[-3000:]
    summary: dict[str, Any] = json.loads((studio.home / "demo" / "summary.json").read_text())
    counted, splits = summary["rows"], summary["splits"]
    assert counted["in"] == rows == counted["kept"] + sum(counted["dropped"].values())
    assert counted["kept"] == splits["train"] + splits["validation"] + splits["test"]
    assert splits["leaks"] == 0
    usage = summary["usage"]
    assert usage["completion_tokens"] > 0 and summary["answer"].strip()
    assert {name: usage[name] for name in summary["engine_usage"]} == summary["engine_usage"]
    assert studio.manage("verify_audit").returncode == 0
    return summary


def test_the_road_ends_in_an_answer_that_is_billed_exactly(production: SetUp, small_export: Path) -> None:
    summary = walked(production, small_export, rows=160)
    assert summary["tuned"]["perplexity"] < summary["base"]["perplexity"] / 2


def test_a_demo_on_a_file_that_is_not_there_says_so(embedded) -> None:
    demo = embedded.manage("demo", "--data", "nowhere.csv")
    assert demo.returncode != 0
    assert "There is no file nowhere.csv" in demo.stderr
    assert "Traceback" not in demo.stderr


def test_a_demo_on_a_file_without_answers_stops_with_a_reason(embedded, tmp_path: Path) -> None:
    lonely = tmp_path / "lonely.csv"
    lonely.write_text("colour,size\n" + "".join(f"red{number},{number}\n" for number in range(30)))
    demo = embedded.manage("demo", "--data", str(lonely))
    assert demo.returncode != 0
    assert "No row is left to learn from" in demo.stderr
    assert "Traceback" not in demo.stderr
