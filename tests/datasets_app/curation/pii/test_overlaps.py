"""Spans that do not overlap."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.pii.overlaps import settle, trim
from datasets_app.curation.pii.patterns import Span


def values(text, *spans):
    return [(span.entity_type, text[span.start : span.end]) for span in settle(text, spans)]


def test_edges_are_trimmed_and_brackets_of_a_number_stay():
    assert values(' "Dora Lee", ', Span(0, 13, "PERSON", 0.9)) == [("PERSON", "Dora Lee")]
    assert values("(212) 555-0147.", Span(0, 15, "PHONE_NUMBER", 0.9)) == [("PHONE_NUMBER", "(212) 555-0147")]


def test_a_name_ends_before_its_possessive_s():
    assert values("Dora's card", Span(0, 6, "PERSON", 0.9)) == [("PERSON", "Dora")]


def test_a_person_without_a_letter_is_none():
    assert trim("4471", Span(0, 4, "PERSON", 0.9)) is None


def test_the_surer_finding_stays_and_the_rest_of_the_other_too():
    text = "Dora Lee dora@example.com"
    assert values(text, Span(0, 25, "PERSON", 0.8), Span(9, 25, "EMAIL_ADDRESS", 1.0)) == [
        ("PERSON", "Dora Lee"),
        ("EMAIL_ADDRESS", "dora@example.com"),
    ]


def test_of_equals_the_longer_stays():
    assert values("12 Main Street", Span(0, 7, "LOCATION", 0.5), Span(0, 14, "ADDRESS", 0.5)) == [
        ("ADDRESS", "12 Main Street")
    ]


def test_a_mask_stays_and_a_name_in_brackets_is_none():
    assert values("talk to [PERSON_42]", Span(8, 19, "PERSON", 0.9)) == []
    assert values("talk to [SMITH] there", Span(9, 14, "PERSON", 0.9)) == [("PERSON", "SMITH")]
    assert values("[JOHN_DOE] wrote", Span(0, 10, "PERSON", 0.9)) == [("PERSON", "JOHN_DOE")]


SPANS = st.builds(
    lambda start, length, kind, score: Span(start, start + length, kind, score),
    st.integers(0, 30),
    st.integers(1, 30),
    st.sampled_from(["PERSON", "ADDRESS", "PHONE_NUMBER"]),
    st.sampled_from([0.4, 0.6, 0.8, 1.0]),
)


@given(st.text("ab1 (.)'s-", min_size=60, max_size=60), st.lists(SPANS, max_size=8))
def test_settled_spans_are_sorted_inside_the_text_and_apart(text, spans):
    settled = settle(text, spans)
    assert all(0 <= span.start < span.end <= len(text) for span in settled)
    assert all(left.end <= right.start for left, right in itertools.pairwise(settled))
    assert settle(text, settled) == settled


@given(st.text("ab1 ", min_size=60, max_size=60), st.lists(SPANS, max_size=6))
def test_no_character_is_covered_that_nothing_found(text, spans):
    found = {place for span in spans for place in range(span.start, span.end)}
    assert {place for span in settle(text, spans) for place in range(span.start, span.end)} <= found
