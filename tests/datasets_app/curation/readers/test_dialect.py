"""How a delimited file is laid out."""

from __future__ import annotations

import pytest

from datasets_app.curation.readers.dialect import NO_DELIMITER, guess_dialect
from datasets_app.curation.readers.heading import field_key


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
def test_the_delimiter_is_the_sign_that_gives_all_rows_one_width(delimiter):
    sample = "\n".join(delimiter.join(row) for row in (["id", "text"], ["1", "hello"], ["2", "good day"]))
    assert guess_dialect(sample, suffix=".csv").delimiter == delimiter


def test_a_comma_inside_quotes_divides_nothing():
    dialect = guess_dialect('text,label\n"one, two",a\n"three, four, five",b\n', suffix=".csv")
    assert dialect.columns == ("text", "label")
    assert dialect.quoting


def test_a_first_row_that_looks_like_data_is_no_header():
    dialect = guess_dialect("ham\tsee you\nspam\twin now\nham\tok then\nham\tgood\n", suffix=".tsv")
    assert not dialect.has_header
    assert dialect.columns == ("column_1", "column_2")


@pytest.mark.parametrize(
    "sample",
    [
        "I lost my card,lost_card\nWhere is my refund,refund\nI lost it again,lost_card\nMy money,refund\n",
        "Where is my order,It is on its way to you\nHow do I pay,You can pay by card\nCan I return it,Yes within days\n",
        "goodbye,hello\n" * 5,
    ],
    ids=["a label that stands below again", "sentences like those below", "nothing but copies"],
)
def test_a_first_row_that_is_like_the_others_is_no_header(sample):
    assert not guess_dialect(sample, suffix=".csv").has_header


@pytest.mark.parametrize(
    "sample",
    [
        "cause,remedy\nit broke,glue it\ncause,remedy\nit fell,lift it\n",
        "How satisfied are you?,What can we do better?\n5,nothing\n3,a lot of things that I will not tell you now\n",
        "What did you like best?,What can we do better?\nThe nice people there,More bread please now\n"
        "The good food,Nothing at all really\n",
        "City,Size\nParis,big\nLondon,small\nCity,big\n",
        "City,Size\n" + "Paris,big\nLondon,small\n" * 9 + "City,big\n" * 2,
    ],
    ids=[
        "tables that were joined",
        "questions of a survey",
        "questions answered in sentences",
        "a name that stands below by chance",
        "a name that is rare among values that repeat",
    ],
)
def test_names_of_columns_stay_names_and_the_line_is_told(sample):
    dialect = guess_dialect(sample, suffix=".csv")
    assert dialect.has_header and [(each.severity, each.line) for each in dialect.findings] == [("info", 1)]


def test_of_columns_that_are_called_as_usual_nothing_is_told():
    assert guess_dialect("question,remedy\nit broke,glue it\n", suffix=".csv").findings == ()


def test_title_rows_above_the_header_are_skipped_and_told():
    dialect = guess_dialect("My report\n\nid,text\n1,a\n2,b\n3,c\n", suffix=".csv")
    assert (dialect.skipped, dialect.columns) == (1, ("id", "text"))
    assert "skipped" in dialect.findings[0].message


def test_a_comment_above_the_header_is_not_the_header():
    sample = "# made by hand\nauthor,title,year\nA,B,1989\n# one\n# two\n# three\nC,D,1979\nE,F,1980\n"
    assert guess_dialect(sample, suffix=".csv").columns == ("author", "title", "year")


def test_lines_that_are_all_hashtags_are_one_column():
    assert guess_dialect("#one\n#two\n#three\n", suffix=".csv").delimiter == NO_DELIMITER


def test_quotes_in_tab_separated_text_are_plain_signs():
    assert not guess_dialect('ham\t"Response" is a word\nspam\tbuy\nham\tno\n', suffix=".tsv").quoting


def test_quoted_fields_of_a_tab_separated_table_are_unwrapped():
    assert guess_dialect('id\ttext\n1\t"two\tparts"\n2\t"b"\n', suffix=".tsv").quoting


def test_two_columns_of_one_name_are_told_apart():
    dialect = guess_dialect("id,name,,name\n1,a,b,c\n2,d,e,f\n", suffix=".csv")
    assert dialect.columns == ("id", "name", "column_3", "name_4")
    assert "name_4" in dialect.findings[0].message


def test_a_column_name_is_compared_without_case_and_signs():
    assert field_key("Conversation ID") == field_key("conversation_id") == "conversationid"
