"""Everything that finds personal data, together."""

from __future__ import annotations

import itertools
import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.curation.pii.finder import Finder, find, finder
from datasets_app.curation.pii.patterns import Span

STRUCTURED = {"CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS", "IBAN_CODE", "US_SSN", "IP_ADDRESS"}


@settings(deadline=None)  # the first text loads the recognisers
@given(st.text("0123456789-+()@.: abcGB", max_size=60))
def test_findings_never_overlap(text):
    spans = find(text)
    assert all(left.end <= right.start for left, right in itertools.pairwise(spans))


def test_a_password_in_a_link_is_one_finding_and_no_mail_address():
    assert [span.entity_type for span in find("https://ann:pw@db.example.com/x")] == ["URL_CREDENTIALS"]


@pytest.mark.parametrize("text", ["2400-1100-700=600", "$<<350000*5/100>>", "3000 - 2920 = 80"])
def test_sums_are_not_taken_for_phone_numbers(text):
    assert find(text) == []


def test_a_phone_number_in_a_form_is_found():
    assert [span.entity_type for span in find("phone=212-555-0147")] == ["PHONE_NUMBER"]


class Names:
    """Stands where a tagger stands: it knows one name, and one span that it gets wrong."""

    def spans(self, texts, contexts=None):
        return [
            [Span(at, at + 4, "PERSON", 0.9) for at in [text.find("Dora")] if at >= 0]
            + [Span(at, at + 4, "PERSON", 0.9) for at in [text.find("4471")] if at >= 0]
            for text in texts
        ]


def kinds(text, earlier=()):
    spans = Finder(Names()).find([text], [earlier])[0]
    return [(span.entity_type, text[span.start : span.end]) for span in spans]


def test_a_number_that_the_tagger_takes_for_a_person_is_none():
    assert kinds("row 4471 is empty") == []


def test_the_earlier_turns_are_asked_for_names():
    assert kinds("4471", ["it is Dora"]) == [("ACCOUNT_NUMBER", "4471")]
    assert kinds("4471", ["it is late"]) == []


def test_a_name_with_a_number_beside_it_is_an_answer():
    assert kinds("Dora 4471", ["I lost my card"]) == [("PERSON", "Dora"), ("CREDIT_CARD", "4471")]


def test_every_text_stands_alone_without_turns():
    assert Finder(Names()).find(["4471", "", "it is Dora"]) == [[], [], [Span(6, 10, "PERSON", 0.9)]]


class Guesses:
    """Gives back one span of a type over a value, wherever it stands."""

    def __init__(self, value, entity_type):
        self.value, self.entity_type = value, entity_type

    def spans(self, texts, contexts=None):
        places = [text.find(self.value) for text in texts]
        return [[Span(at, at + len(self.value), self.entity_type, 0.9)] if at >= 0 else [] for at in places]


@pytest.mark.parametrize(
    ("text", "value", "entity_type"),
    [
        ("3... 2... 1... lift-off", "3... 2", "IP_ADDRESS"),
        ("yes sir", "sir", "PERSON"),
        ("no salarymen. Unfortunately not", "salarymen. Unfortunately", "PERSON"),
        ("It is 2018 now", "2018", "CREDIT_CARD"),
        ("a b c", "b", "ORGANIZATION"),
    ],
)
def test_guesses_of_the_tagger_that_cannot_be_are_left_out(text, value, entity_type):
    assert Finder(Guesses(value, entity_type)).find([text]) == [[]]


def test_a_guess_inside_what_machines_call_things_is_left_out():
    digest = "9f2c41d8e0b74a6c8d1e5f3a7b9c0d2e"
    assert Finder(Guesses("b74a6c", "ADDRESS")).find([f"commit {digest}"]) == [[]]


def test_a_short_number_that_the_tagger_knows_in_a_talk_stays():
    finder = Finder(Guesses("20", "US_SSN"))
    assert [len(spans) for spans in finder.find(["is it 20 then"], [["ssn?"]])] == [1]


def test_text_without_digits_and_at_signs_is_not_looked_at():
    assert find("Where is my parcel?") == []


@pytest.mark.parametrize("name", ["synth_v2_halfA", "generated_large_halfA"])
def test_structured_values_of_labelled_text_are_found(real_data, name):
    found, wanted = Counter(), Counter()
    items = json.loads((real_data / "pii" / f"{name}.json").read_text(encoding="utf-8"))
    for item, spans in zip(items, finder().find([each["full_text"] for each in items]), strict=True):
        covered = {place for span in spans for place in range(span.start, span.end)}
        for span in item["spans"]:
            if span["entity_type"] in STRUCTURED:
                places = range(span["start_position"], span["end_position"])
                wanted[span["entity_type"]] += 1
                found[span["entity_type"]] += 2 * sum(place in covered for place in places) >= len(places)
    assert sum(found.values()) >= 0.97 * sum(wanted.values()), (found, wanted)


def test_questions_without_personal_data_raise_no_alarm(real_data):
    lines = (real_data / "banking77" / "train.csv").read_text(encoding="utf-8").splitlines()
    assert sum(map(bool, finder().find(lines))) <= 0.02 * len(lines)
