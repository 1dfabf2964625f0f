"""Lists of a workspace."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.pii.lists import Allowed, Phrases, denied


def found(phrases, text):
    return [(span.entity_type, text[span.start : span.end]) for span in phrases.find(text, "list")]


def test_a_denied_text_is_found_as_a_whole_word_whatever_its_case():
    phrases = denied(["Project Falcon", "acme"])
    assert found(phrases, "PROJECT  falcon by Acme, not acmeology") == [
        ("DENIED", "PROJECT  falcon"),
        ("DENIED", "Acme"),
    ]


def test_the_longest_entry_at_a_place_is_the_one():
    assert found(denied(["acme", "acme labs"]), "at acme labs") == [("DENIED", "acme labs")]


def test_signs_in_an_entry_count():
    assert found(denied(["c++", "a.b"]), "in C++ and a b and a.b") == [("DENIED", "C++"), ("DENIED", "a.b")]


def test_a_name_of_one_word_counts_where_it_is_written_as_one():
    phrases = Phrases([("Will", "PERSON"), ("Rose Hill", "PERSON")])
    assert found(phrases, "will Will or rose hill come? WILL!") == [
        ("PERSON", "Will"),
        ("PERSON", "rose hill"),
        ("PERSON", "WILL"),
    ]


def test_an_allowed_text_is_compared_without_case_and_spaces():
    assert "help  DESK" in Allowed(["Help Desk"]) and "help" not in Allowed(["Help Desk"]) and "" not in Allowed([])


@given(st.lists(st.text("ab .", min_size=1, max_size=5), max_size=5), st.text("ab .AB", max_size=40))
def test_what_is_found_stands_in_the_list(entries, text):
    known = {" ".join(entry.replace(".", " . ").split()) for entry in entries}
    for span in denied(entries).find(text, "list"):
        assert " ".join(text[span.start : span.end].replace(".", " . ").split()).casefold() in known
