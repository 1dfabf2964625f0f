"""The quality of a version's training rows, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_app.curation import __main__ as command
from datasets_app.curation.quality.measure import measured
from datasets_app.curation.table import SCHEMA


def row(number: int, question: str, answer: str, **fields: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    usual = {"row_id": number, "file": "a.csv", "row": number, "cluster": number, "repeat": 0, "group": str(number)}
    return {**usual, "messages": turns, **fields}


@pytest.fixture
def look(tmp_path) -> Callable[..., dict[str, Any]]:
    def run(rows: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), tmp_path / "train.parquet")
        return measured([tmp_path / "train.parquet"], **options)

    return run


def kinds(found: dict[str, Any]) -> list[str]:
    return [each["kind"] for each in found["warnings"]]


def varied(count: int, word: str = "w") -> list[dict[str, Any]]:
    return [
        row(n, f"{word}{n} {word}{n + 1} {word}{n * 7}", f"answer {n} is long enough {n * 3}") for n in range(count)
    ]


def test_rows_that_differ_and_are_even_raise_no_warning(look):
    found = look(varied(60))
    assert kinds(found) == [] and found["rows"] == 60
    assert found["words"]["questions"]["p50"] == 3 and found["words"]["answers"]["p50"] == 6
    assert found["files"] == {"count": 1, "rows": {"a.csv": 60}} and found["classes"] == {}
    assert found["clusters"] == {"clusters": 60, "largest": 1, "coverage": 1.0}


def test_an_answer_that_is_the_label_is_no_prose_and_repeats_are_counted_as_classes_only(look):
    rows = [row(n, f"question {n}", "refund", label="refund") for n in range(40)]
    rows += [row(40, "other", "delivery", label="delivery", repeat=again) for again in range(4)]
    found = look(rows, before={"refund": 40, "delivery": 1})
    assert "answers" not in found["words"] and found["rows"] == 41
    assert found["classes"]["imbalance"] == {"before": 40.0, "after": 10.0}
    assert found["classes"]["smallest"] == {"label": "delivery", "rows": 4}
    assert kinds(found) == ["imbalance"]
    assert "refund has 40 training rows and delivery has 4: 10 to 1" in found["warnings"][0]["message"]


def test_one_answer_over_and_over_is_named_with_its_share(look):
    rows = varied(40) + [row(40 + n, f"how {n}", "Please call us tomorrow morning.") for n in range(20)]
    found = look(rows)
    assert kinds(found) == ["answers_alike"] and "20 of 60" in found["warnings"][0]["message"]
    assert found["commonest_answer"] == {"rows": 20, "share": 0.3333, "file": "a.csv", "row": 40}


def test_terse_answers_and_near_copies_are_named(look):
    rows = [row(n, f"q{n} x{n}", f"yes {n}", cluster=n % 5) for n in range(40)]
    assert kinds(look(rows)) == ["terse", "near_copies"]


def test_templates_are_called_monotonous(look):
    rows = [
        row(n, f"please tell me where my parcel number {n % 9} is right now", f"a{n} b{n} c{n} d{n}")
        for n in range(600)
    ]
    assert kinds(look(rows)) == ["monotonous"]


def test_one_gender_alone_is_named(look):
    rows = varied(20) + [row(20 + n, f"he lost his card {n}", f"tell the man to wait {n} hours") for n in range(40)]
    found = look(rows)
    assert (
        kinds(found) == ["gender"] and "40 training rows speak of men and 0 of women" in found["warnings"][0]["message"]
    )


def test_a_group_under_one_label_is_named_and_one_spread_evenly_is_not(look):
    rows = [row(n, f"question {n}", each, label=each) for n, each in enumerate(["good", "bad"] * 100)]
    rows += [row(200 + n, f"a muslim asks {n}", "bad", label="bad") for n in range(40)]
    rows += [row(300 + n, f"my children ask {n}", each, label=each) for n, each in enumerate(["good", "bad"] * 20)]
    rows += [row(400 + n, f"question again {n}", "good", label="good") for n in range(200)]
    found = look(rows)
    assert kinds(found) == ["tied_to_label"]
    assert "40 of the 40 training rows that speak of Muslims have the label bad" in found["warnings"][0]["message"]


def test_a_run_leaves_its_quality_in_the_report(curate, pairs, questions):
    done = curate(pairs(*questions(60)))
    assert done.report["quality"] == {"languages": {}, **measured([done.out / "train.parquet"], before={})}


def test_the_command_line_tells_the_same_and_refuses_other_files(curate, pairs, questions, write, monkeypatch, capsys):
    done = curate(pairs(*questions(20)))
    monkeypatch.setattr("sys.argv", ["curation", "quality", "--train", str(done.out / "train.parquet")])
    assert command.main() == 0 and json.loads(capsys.readouterr().out)["rows"] == done.report["splits"]["train"]
    monkeypatch.setattr("sys.argv", ["curation", "quality", "--train", str(write("a.parquet", "no"))])
    assert command.main() == 2 and "no Parquet file" in capsys.readouterr().err
