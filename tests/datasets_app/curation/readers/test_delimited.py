"""CSV and its kin as records."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.readers.upload import open_source
from datasets_app.curation.rows import Problem, Record


def read(path):
    return list(open_source(path).records())


def test_a_ragged_row_is_a_problem_with_its_row_and_line(write):
    found = read(write("a.csv", "text,label\nhello,a\nno label here\nbye,b\n"))
    assert [type(each) for each in found] == [Record, Problem, Record]
    assert (found[1].row, found[1].line, found[1].reason) == (1, 3, "ragged_row")
    assert "line 3" in found[1].detail
    assert found[1].text == "no label here"


def test_a_newline_inside_quotes_belongs_to_the_field_and_lines_are_counted(write):
    found = read(write("a.csv", 'text,label\n"one\ntwo",a\nthree,b\n'))
    assert found[0].values == {"text": "one\ntwo", "label": "a"}
    assert (found[1].row, found[1].line) == (1, 4)


def test_a_quote_that_never_closes_costs_one_row_and_not_the_rest(write):
    rows = ['"one, two",a', '"three, four",b', '"never closed,a', "second,b", "third,c"]
    found = read(write("a.csv", "\n".join(["text,label", *rows]) + "\n"))
    assert [each.reason for each in found if isinstance(each, Problem)] == ["bad_csv"]
    assert [each.values["text"] for each in found if isinstance(each, Record)] == [
        "one, two",
        "three, four",
        "second",
        "third",
    ]


def test_a_lone_quote_in_tab_separated_text_costs_no_row(write):
    lines = ["ham\tsee you soon"] * 3 + ["spam\tbuy it now", 'ham\t"Keep this to yourself', "ham\tgood night"]
    found = read(write("a.tsv", "\n".join(lines) + "\n"))
    assert len(found) == 6
    assert found[4].values["column_2"] == '"Keep this to yourself'


def test_bare_carriage_returns_end_lines(write):
    assert len(read(write("a.csv", "text,label\rone,a\rtwo,b\r"))) == 2


def test_a_zero_byte_becomes_a_visible_sign(write):
    found = read(write("a.csv", "text,label\none\0two,a\nthree,b\n".encode("utf-16")))
    assert found[0].values["text"] == "one\ufffdtwo"


CELL = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r\x1c\x1d\x1e\x85\u2028\u2029"), max_size=20
)


@given(st.lists(st.tuples(CELL, CELL), min_size=3, max_size=20))
def test_what_csv_writes_is_read_back(tmp_path_factory, rows):
    import csv

    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerows([("text", "label"), *rows])
    assert [tuple(each.values.values()) for each in read(path)] == rows
