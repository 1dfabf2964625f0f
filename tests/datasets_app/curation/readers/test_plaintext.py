"""Plain text as records."""

from __future__ import annotations

from datasets_app.curation.readers.upload import open_source


def texts(path):
    source = open_source(path)
    return [(record.line, next(iter(record.values.values()))) for record in source.records()]


def test_paragraphs_are_records(write):
    assert texts(write("a.txt", "One, two.\nThree.\n\n\nFour.\n\nFive.\n")) == [
        (1, "One, two.\nThree."),
        (5, "Four."),
        (7, "Five."),
    ]


def test_lines_without_blank_ones_are_records_and_the_first_is_no_header(write):
    assert texts(write("a.txt", "First text\nSecond text\nThird text\n")) == [
        (1, "First text"),
        (2, "Second text"),
        (3, "Third text"),
    ]


def test_conversations_stand_apart_by_blank_lines(write):
    found = texts(write("a.txt", "Agent: Hi\nCustomer: It broke\n\nwith a crack\n\nAgent: Hello\nCustomer: Late\n"))
    assert found == [(1, "Agent: Hi\nCustomer: It broke\n\nwith a crack"), (6, "Agent: Hello\nCustomer: Late")]


def test_blank_lines_between_turns_divide_no_conversation(write):
    text = "User: a\n\nAssistant: b\n\nUser: c\n\nAssistant: d\n\n-----\n\nUser: e\n\nAssistant: f\n"
    assert [line for line, _text in texts(write("a.txt", text))] == [1, 11]


def test_a_table_in_a_text_file_is_a_table(write):
    assert open_source(write("a.txt", "id\ttext\n1\ta\n2\tb\n")).format == "tsv"
