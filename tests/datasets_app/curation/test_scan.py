"""Personal data in a file, with offsets."""

from __future__ import annotations

import json

from datasets_app.curation.scan import scan

TEXT = "mail ann@example.com"


def test_findings_have_row_field_and_offsets(write):
    path = write("a.csv", f"text,label\nnothing,a\n{TEXT},b\n")
    assert list(scan(path)) == [
        {"row": 1, "field": "text", "start": 5, "end": 20, "entity_type": "EMAIL_ADDRESS", "score": 1.0}
    ]


def test_one_column_can_be_looked_at_alone(write):
    assert list(scan(write("a.csv", f"text,label\n{TEXT},b\nx,y\n"), field="label")) == []


def test_nested_fields_are_named_by_their_path(write):
    line = json.dumps({"messages": [{"role": "user", "content": TEXT}]})
    assert [found["field"] for found in scan(write("a.jsonl", line + "\n"))] == ["messages[0].content"]
