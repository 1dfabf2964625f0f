"""What a file holds, before anything is done to it."""

from __future__ import annotations

import json

from datasets_app.curation.detect import detect

KEYS = {"format", "encoding", "delimiter", "columns", "rows", "layout", "mapping", "findings", "preview"}


def test_detection_tells_format_columns_rows_and_a_mapping(write):
    found = detect(write("a.csv", "text,category\nhello,a\nbye,b\nodd\n"))
    assert set(found) == KEYS
    assert (found["format"], found["delimiter"], found["rows"], found["layout"]) == ("csv", ",", 3, "text_label")
    assert found["mapping"] == {"prompt": "text", "completion": None, "label": "category", "group": [], "system": None}
    assert found["preview"][0] == {"text": "hello", "category": "a"}
    assert [(each["severity"], each["line"], each["count"]) for each in found["findings"]] == [("warning", 4, 1)]


def test_a_file_without_an_answer_says_so(write):
    assert "No column with an answer" in detect(write("a.csv", "x,y\n1,2\n3,4\n"))["findings"][-1]["message"]


def test_a_detection_is_strict_json_whatever_the_numbers(write):
    json.dumps(detect(write("a.jsonl", '{"a": 1e999, "b": [1, {"c": "' + "x" * 900 + '"}]}\n')), allow_nan=False)
