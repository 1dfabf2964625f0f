"""Personal data in a file, with offsets."""

from __future__ import annotations

import json
import zipfile

from datasets_app.curation.pii.finder import Finder
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


def test_rows_of_one_conversation_are_read_together(write):
    path = write("a.csv", "talk,text\n1,What is your SSN?\n2,What day is it?\n1,4471\n2,4471\n")
    found = list(scan(path, field="text", group="talk", using=Finder()))
    assert [(each["row"], each["entity_type"]) for each in found] == [(2, "US_SSN")]
    assert list(scan(path, field="text", using=Finder())) == []


def test_turns_within_a_record_are_read_together(write):
    turns = [{"role": "assistant", "content": "Your account number?"}, {"role": "user", "content": "4471"}]
    found = list(scan(write("a.jsonl", json.dumps({"messages": turns}) + "\n")))
    assert [(each["field"], each["entity_type"]) for each in found] == [("messages[1].content", "ACCOUNT_NUMBER")]


def test_the_parts_of_an_archive_are_numbered_on(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "text,label\nnothing here,a\nnor here,b\n")
        archive.writestr("b.csv", "text,label\nwrite to dora@care.example,a\n")
    assert {(found["row"], found["entity_type"]) for found in scan(path)} >= {(2, "EMAIL_ADDRESS")}


def test_a_columns_name_tells_of_its_values_wherever_they_stand_in_the_record(write):
    path = write("a.csv", "text,member id,ssn,case\nthe code is qz 81 for me,QZ 81,4471,77\nnothing,,,78\n")
    found = [(each["row"], each["field"], each["start"], each["end"], each["entity_type"]) for each in scan(path)]
    assert set(found) == {
        (0, "text", 12, 17, "ACCOUNT_NUMBER"),
        (0, "member id", 0, 5, "ACCOUNT_NUMBER"),
        (0, "ssn", 0, 4, "US_SSN"),
    }
