"""CSV and its kin as records."""

from __future__ import annotations

import csv

from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.readers import splitting
from datasets_app.curation.readers.options import Reading
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


INCHES = ['1,"12 inch tv,ok one', "2,lamp,ok two", "3,chair,ok three", '4,"13 inch tv,ok four']


def test_two_quotes_that_never_close_swallow_no_row_between_them(write):
    rows = [*INCHES, '5,"a table, round",ok', '6,"a bed, long",ok', '7,"a rug, red",ok']
    found = read(write("a.csv", "\n".join(["id,what,said", *rows]) + "\n"))
    assert [each.line for each in found if isinstance(each, Problem)] == [2, 5]
    assert all("opens a quote that is never closed" in each.detail for each in found if isinstance(each, Problem))
    assert [each.values["id"] for each in found if isinstance(each, Record)] == list("23567")


def test_quotes_are_plain_signs_where_none_of_them_closes(write):
    found = read(write("a.csv", "\n".join(["id,what,said", *INCHES, "5,x,y", "6,x,y", "7,x,y"]) + "\n"))
    assert [each.values["id"] for each in found] == list("1234567")
    assert found[0].values == {"id": "1", "what": '"12 inch tv', "said": "ok one"}


def test_a_closing_quote_in_the_middle_of_a_later_row_swallows_none(write):
    rows = ['1,"12 inch tv,ok', "2,lamp,ok", '3,a 13" wide tv,ok', '4,"a, b",ok', '5,"c, d",ok']
    found = read(write("a.csv", "\n".join(["id,what,said", *rows]) + "\n"))
    assert [(type(each), each.line) for each in found] == [(Problem, 2), *((Record, line) for line in (3, 4, 5, 6))]


def test_a_field_of_several_lines_whose_inner_quotes_are_single_stays_one_row(write):
    rows = ['1,"a, b",ok', '2,"one\nand "two" they said",ok', '3,"c, d\ne" ,ok']
    found = read(write("a.csv", "\n".join(["id,text,label", *rows]) + "\n"))
    assert [each.values["id"] for each in found] == ["1", "2", "3"]
    assert found[1].values["text"] == 'one\nand two" they said"'


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
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerows([("text", "label"), *rows])
    assert [tuple(each.values.values()) for each in read(path)] == rows


def test_empty_cells_behind_the_last_column_cost_no_row(write):
    found = read(write("a.csv", "a,b\n1,2,,\n3,4,x\n"))
    assert found[0].values == {"a": "1", "b": "2"}
    assert found[1].reason == "ragged_row"


def test_a_quote_behind_a_space_opens_a_field(write):
    found = read(write("a.csv", 'a, b, c\n1, "2,000", x\n3, "4,000", y\n'))
    assert [each.values["b"] for each in found] == ["2,000", "4,000"]


def test_backslashes_before_quotes_are_taken_where_they_make_the_rows_even(write):
    rows = ['"he said \\"hi, you\\" twice",a'] * 5
    found = read(write("a.csv", "\n".join(["text,label", *rows]) + "\n"))
    assert {each.values["text"] for each in found} == {'he said "hi, you" twice'}


def test_a_formula_stays_text(write):
    assert read(write("a.csv", 'x,y\n=1+1,"@SUM(A1)"\n'))[0].values == {"x": "=1+1", "y": "@SUM(A1)"}


def test_nine_thousand_columns_are_read(write):
    names = ",".join(f"c{n}" for n in range(9000))
    (found,) = read(write("a.csv", f"{names}\n{','.join('x' * 9000)}\n"))
    assert len(found.values) == 9000


def test_a_header_longer_than_the_first_look_is_read_whole(write):
    names = [f"a_rather_long_name_of_a_column_{n}" for n in range(9000)]
    (found,) = read(write("a.csv", f"{','.join(names)}\n{','.join('x' * 9000)}\n"))
    assert list(found.values) == names


def test_a_field_of_many_megabytes_is_one_field(write):
    text = "a line, of text\n" * 400_000
    (found, other) = read(write("a.csv", f'text,label\n"{text}",a\nshort,b\n'))
    assert found.values["text"] == text
    assert (other.line, other.values["label"]) == (400_003, "b")


def test_a_line_longer_than_can_be_held_is_a_problem_and_the_next_one_is_read(write, monkeypatch):
    monkeypatch.setattr(splitting, "LINE_CHARACTERS", 1000)
    found = read(write("a.csv", "text,label\none,a\n" + "x" * 5000 + ",b\nthree,c\n"))
    assert [type(each) for each in found] == [Record, Problem, Record]
    assert (found[1].line, found[2].line, found[2].values["label"]) == (3, 4, "c")


def test_years_in_a_row_name_columns(write):
    found = read(write("a.csv", "Title of it,,,\nUnit: tonnes,,,\nYear,2000,2001,2002\nTimber,1,2,3\nIron,4,5,6\n"))
    assert list(found[0].values) == ["Year", "2000", "2001", "2002"]


TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=12)


@given(
    st.lists(st.lists(TEXTS, min_size=2, max_size=2), min_size=2, max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_any_table_of_texts_survives_whatever_its_delimiter_and_line_ends(tmp_path_factory, rows, delimiter, ends):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=ends)
        writer.writerows([("text", "label"), *rows])
    reading = Reading(delimiter=delimiter, header=1)
    assert [list(each.values.values()) for each in open_source(path, reading).records()] == rows
