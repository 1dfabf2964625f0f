"""What happens to what was found."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_app.curation.pii.finder import find
from datasets_app.curation.pii.keys import Keys
from datasets_app.curation.pii.masking import (
    Place,
    Policy,
    applied,
    drops,
    hidden,
    masked,
    policy_of,
    veil,
    veil_ranges,
)
from datasets_app.curation.pii.overlaps import MARK

HERE = Place("a.csv", 3, 0)
TEXT = "mail ann@example.com or pay with 4111 1111 1111 1111"


def judged(text, **options):
    return policy_of(options, b"secret").judged(text, find(text), HERE)


def after(text, **options):
    return applied(text, judged(text, **options))


def test_a_mask_names_the_type_and_is_counted():
    hits = judged(TEXT)
    assert applied(TEXT, hits) == "mail [EMAIL] or pay with [CARD]"
    assert hidden(hits) == {"EMAIL_ADDRESS": 1, "CREDIT_CARD": 1}
    assert drops(hits) is None


def test_a_policy_can_keep_one_type_and_drop_the_row_for_another():
    hits = judged(TEXT, policy={"EMAIL_ADDRESS": "keep", "CREDIT_CARD": "drop_row"})
    assert drops(hits) == "CREDIT_CARD" and [hit.action for hit in hits] == ["keep", "drop_row"]


def test_a_stand_in_is_the_same_for_the_same_value():
    text = "from ann@example.com to bob@example.com, then to ANN@example.com"
    first, second, third = re.findall(r"\S+@[\w.]+", after(text, default="pseudonym"))
    assert first == third != second and "ann@" not in first


def test_a_hash_is_a_mark_with_the_same_number_for_the_same_value():
    text = "from ann@example.com to ANN@example.com"
    assert re.fullmatch(r"from (\[EMAIL_\d{10}\]) to \1", after(text, default="hash"))


def test_places_and_organisations_stay_unless_the_policy_names_them():
    assert Policy().action("LOCATION") == "keep" and Policy({"LOCATION": "mask"}).action("LOCATION") == "mask"


def test_an_allowed_text_stays_whatever_its_case():
    assert after("help@example.com", allow=["Help@Example.com"]) == "help@example.com"


def test_a_rejected_hit_stays_in_its_place_alone():
    key = judged(TEXT)[0].key
    assert after(TEXT, decisions={key: "reject"}) == "mail ann@example.com or pay with [CARD]"
    other = policy_of({"decisions": {key: "reject"}}, b"secret").judged(TEXT, find(TEXT), Place("a.csv", 4, 0))
    assert applied(TEXT, other) == "mail [EMAIL] or pay with [CARD]"


def test_a_rejected_value_stays_everywhere():
    key = judged(TEXT)[0].value_key
    text = "ann@example.com wrote to Ann@Example.com and bob@example.com"
    assert after(text, decisions={f"value:{key}": "reject"}) == "ann@example.com wrote to Ann@Example.com and [EMAIL]"


def test_an_accepted_hit_is_hidden_even_where_its_type_is_kept_or_its_text_allowed():
    options = {"policy": {"EMAIL_ADDRESS": "keep"}, "allow": ["ann@example.com"]}
    assert after(TEXT, **options) == "mail ann@example.com or pay with [CARD]"
    assert after(TEXT, **options, decisions={judged(TEXT)[0].key: "accept"}) == "mail [EMAIL] or pay with [CARD]"


def test_keys_of_another_secret_decide_nothing():
    key = policy_of({}, b"other").judged(TEXT, find(TEXT), HERE)[0].key
    assert after(TEXT, decisions={key: "reject"}) == after(TEXT)


def test_a_veil_leaves_one_character_of_each_value():
    assert veil("mail ann@example.com now", find("mail ann@example.com now")) == "mail a••• now"


VALUES = st.sampled_from(
    ["ann.lee@example.com", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "536-90-4399", "192.168.10.254"]
)
WORDS = st.lists(st.sampled_from(["the", "card", "is", "lost,", "pay", "Grüße", "你好", "12", "!"]), max_size=6).map(
    " ".join
)
PARTS = st.lists(st.tuples(WORDS, VALUES), min_size=1, max_size=4)


@settings(deadline=None)  # the first text loads the recognisers
@given(PARTS)
def test_masking_never_leaves_a_value_and_does_nothing_twice(parts):
    text = " and ".join(f"{words} {value}" for words, value in parts)
    hidden_text = masked(text, find(text))
    assert not [value for _words, value in parts if value in hidden_text]
    marks = MARK.findall(hidden_text)
    again = MARK.findall(masked(hidden_text, find(hidden_text)))
    assert all(again.count(mark) >= marks.count(mark) for mark in marks), (
        "a mask is no value, whatever else is taken for one"
    )


@settings(deadline=None)  # the first text loads the recognisers
@given(PARTS, st.sampled_from(["mask", "pseudonym", "hash"]))
def test_no_action_but_keep_leaves_a_value(parts, action):
    text = " and ".join(f"{words} {value}" for words, value in parts)
    changed = after(text, default=action)
    assert not [value for _words, value in parts if value in changed]


@pytest.mark.parametrize("secret", [b"", b"a"])
def test_what_is_done_depends_on_text_and_secret_alone(secret):
    def once():
        return Policy(default="pseudonym", keys=Keys(secret)).judged(TEXT, find(TEXT), HERE)

    assert once() == once()


@given(st.text(min_size=1, max_size=30), st.lists(st.tuples(st.integers(0, 29), st.integers(1, 8)), max_size=5))
def test_of_stretches_that_overlap_nothing_but_a_first_character_is_left(text, places):
    ranges = [(start, min(len(text), start + length)) for start, length in places if start < len(text)]
    hidden_at = {at for start, end in ranges for at in range(start, end)}
    firsts = {at for at in hidden_at if at - 1 not in hidden_at}
    left = [sign for at, sign in enumerate(text) if at not in hidden_at or at in firsts]
    touching = {end for _start, end in ranges} & {start for start, _end in ranges}
    if not touching and "•" not in text:
        assert veil_ranges(text, ranges).replace("•••", "") == "".join(left)
