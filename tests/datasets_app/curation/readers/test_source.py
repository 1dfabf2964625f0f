"""A file as a source of records, whatever its format."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.curation.detect import detect
from datasets_app.curation.errors import Refusal
from datasets_app.curation.readers.upload import open_source


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("a.csv", "text,label\na,b\n", "csv"),
        ("a.tsv", "text\tlabel\na\tb\n", "tsv"),
        ("a.txt", '{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.json", '[{"a": 1}]', "json"),
        ("a.json", '{\n "a": 1\n}', "json_object"),
        ("a.csv", '{"a": 1}\n{"a": 2}\n', "jsonl"),
    ],
)
def test_the_format_is_told_by_what_is_inside(write, name, content, format):
    assert open_source(write(name, content)).format == format


def test_parquet_gives_its_rows_and_follows_its_place(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["one", "two\0"], "label": ["a", None]}), path)
    source = open_source(path)
    assert [each.values for each in source.records()] == [
        {"text": "one", "label": "a"},
        {"text": "two\ufffd", "label": None},
    ]
    assert source.place.done == source.size


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1 and then something else PAR1"])
def test_a_broken_parquet_is_refused(write, content):
    with pytest.raises(Refusal, match="not a whole Parquet file"):
        open_source(write("a.parquet", content))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refusal, match="cannot be opened"):
        open_source(tmp_path / "missing.csv")


NASTY = st.sampled_from(
    [
        *(b'"', b",", b"\n", b"\t", b"[", b"{", b"}", b"]", b"\\u", b"\xff\xfe", b"\xef\xbb\xbf", b"\0", b"#", b"PAR1"),
        *(
            b"PK\x03\x04",
            b"\x1f\x8b\x08",
            b"From a@b 2024\nSubject: x\n\n",
            b"User: ",
            b"Agent: ",
            b"\x1b$B",
            b"\xa4\xa4",
        ),
        *(
            b'{"id": 1, "parent_id": 2, "text": "a"}\n',
            b'{"id": 2, "replies": [{"body": "a"}]}\n',
            b"id,parent_id,text\n",
        ),
    ]
)
NAMES = ("a.csv", "a.tsv", "a.json", "a.jsonl", "a.parquet", "a.txt", "a.xlsx", "a.zip", "a.csv.gz", "a.mbox")


@settings(max_examples=150)
@given(
    content=st.binary(max_size=300) | st.lists(NASTY | st.binary(max_size=4), max_size=40).map(b"".join),
    name=st.sampled_from(NAMES),
)
def test_any_bytes_are_read_or_refused_with_a_sentence(tmp_path_factory, content, name):
    path = tmp_path_factory.mktemp("bytes") / name
    path.write_bytes(content)
    try:
        found = detect(path)
    except Refusal as refusal:
        assert refusal.message and refusal.fix
    else:
        assert found["rows"] >= 0
