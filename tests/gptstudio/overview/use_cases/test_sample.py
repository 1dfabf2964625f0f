"""Sample data: the same each time, as many rows as is said, and curation makes a version of it without a leak."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from datasets_app import recipes
from datasets_app.curation.pipeline import Pipeline
from datasets_app.curation.recipe import parse_recipe
from gptstudio.overview.use_cases.catalogue import KEYS, use_case
from gptstudio.overview.use_cases.sample import sample_of


@pytest.mark.parametrize("key", KEYS)
def test_the_same_bytes_come_out_each_time(key) -> None:
    assert sample_of(use_case(key)) == sample_of(use_case(key))


@pytest.mark.parametrize("key", KEYS)
def test_it_has_as_many_rows_as_is_said_and_no_gap_is_left_open(key) -> None:
    case = use_case(key)
    text = sample_of(case).decode()
    if case.file.endswith(".jsonl"):
        rows = [json.loads(line)["messages"] for line in text.splitlines()]
        assert all([each["role"] for each in row] == ["user", "assistant"] for row in rows)
        assert not any("{" in each["content"] for row in rows for each in row)
    else:
        rows = list(csv.reader(io.StringIO(text)))[1:]
        assert not any("{" in cell for row in rows for cell in row)
    assert len(rows) == case.rows


@pytest.mark.parametrize("key", KEYS)
def test_its_recipe_makes_three_parts_of_it_without_a_leak(key, tmp_path: Path) -> None:
    case = use_case(key)
    path = tmp_path / case.file
    path.write_bytes(sample_of(case))
    recipe = parse_recipe(recipes.for_engine(recipes.checked(case.recipe)))
    Pipeline(recipe, [path], tokenizer=None, processes=1, progress=lambda *_seen: None).run(tmp_path / "out")
    splits = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["splits"]
    assert splits["train"] >= 200 and splits["validation"] >= 20 and splits["test"] >= 20
    assert splits["leaks"] == 0
