"""What a file holds, before anything is done to it."""

from __future__ import annotations

import json
import zipfile

from datasets_app.curation.detect import detect
from datasets_app.curation.readers.options import Reading

CONTRACT = ["format", "encoding", "delimiter", "columns", "rows", "findings", "preview"]


def test_detection_tells_format_columns_rows_and_a_mapping(write):
    found = detect(write("a.csv", "text,category\nhello,a\nbye,b\nodd\n"))
    assert list(found)[:7] == CONTRACT
    assert (found["format"], found["delimiter"], found["rows"], found["layout"]) == ("csv", ",", 3, "text_label")
    assert found["mapping"] == {"prompt": "text", "completion": None, "label": "category", "group": [], "system": None}
    assert found["preview"][0] == {"text": "hello", "category": "a"}
    assert [(each["severity"], each["line"], each["count"]) for each in found["findings"]] == [("warning", 4, 1)]


def test_a_file_without_an_answer_says_so(write):
    assert "No column with an answer" in detect(write("a.csv", "x,y\n1,2\n3,4\n"))["findings"][-1]["message"]


def test_a_detection_is_strict_json_whatever_the_numbers(write):
    json.dumps(detect(write("a.jsonl", '{"a": 1e999, "b": [1, {"c": "' + "x" * 900 + '"}]}\n')), allow_nan=False)


def test_a_guessed_encoding_shows_the_others_with_the_line_as_each_reads_it(write):
    found = detect(write("a.csv", "text,label\n退款到帳了嗎？謝謝您的幫忙,a\n".encode("big5")))
    assert found["encoding"] == "big5"
    assert found["encodings"][0] == {"encoding": "big5", "sample": "退款到帳了嗎？謝謝您的幫忙,a"}
    assert len({each["sample"] for each in found["encodings"]}) == len(found["encodings"]) > 1


def test_what_a_person_sets_is_used_and_told(write):
    path = write("a.csv", "Report\nas of today\nx;y\n1;ö\n2;ä\n".encode("cp1252"))
    found = detect(path, reading=Reading(encoding="latin-1", delimiter=";", header=3))
    assert (found["columns"], found["rows"], found["header"]) == (["x", "y"], 2, 3)
    assert found["reading"] == {"encoding": "latin-1", "delimiter": ";", "header": 3}
    assert found["preview"][0] == {"x": "1", "y": "ö"}


def test_a_table_without_header_is_read_so_when_a_person_says_it(write):
    found = detect(write("a.csv", "name,city\nx,y\nz,w\n"), reading=Reading(header=0))
    assert (found["columns"], found["rows"]) == (["column_1", "column_2"], 3)


def test_the_files_of_an_archive_are_told_one_by_one(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "prompt,completion\nq,a\nr,b\n")
        archive.writestr("b.jsonl", '{"prompt": "q", "completion": "a"}\n')
        archive.writestr("c.csv", "")
    found = detect(path)
    assert [(each["name"], each["rows"]) for each in found["files"]] == [
        ("export.zip/a.csv", 2),
        ("export.zip/b.jsonl", 1),
    ]
    assert found["rows"] == 3
    assert [each["severity"] for each in found["findings"]] == ["error"]


def test_a_conversation_in_a_text_cell_is_still_one_in_the_preview(write):
    talk = json.dumps([{"role": "user", "content": "Why? " * 90}, {"role": "assistant", "content": "Because."}])
    cell = talk.replace('"', '""')
    (row,) = detect(write("a.csv", f'id,messages\n1,"{cell}"\n'))["preview"]
    assert [turn["role"] for turn in row["messages"]] == ["user", "assistant"]
