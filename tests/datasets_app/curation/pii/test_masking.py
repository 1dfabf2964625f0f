"""Hiding what was found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.pii.finder import find
from datasets_app.curation.pii.masking import Policy, hide, policy_of, veil

TEXT = "mail ann@example.com or pay with 4111 1111 1111 1111"


def test_a_mask_names_the_type_and_is_counted():
    masked, counts, drops = hide(TEXT, find(TEXT), Policy())
    assert masked == "mail [EMAIL] or pay with [CARD]"
    assert counts == {"EMAIL_ADDRESS": 1, "CREDIT_CARD": 1}
    assert drops is None


def test_a_policy_can_keep_one_type_and_drop_the_row_for_another():
    policy = policy_of({"policy": {"EMAIL_ADDRESS": "keep", "CREDIT_CARD": "drop_row"}})
    assert hide(TEXT, find(TEXT), policy)[2] == "CREDIT_CARD"
    assert hide("ann@example.com", find("ann@example.com"), policy)[0] == "ann@example.com"


def test_an_allowed_text_stays_whatever_its_case():
    policy = policy_of({"allow": ["Help@Example.com"]})
    assert hide("help@example.com", find("help@example.com"), policy)[0] == "help@example.com"


def test_a_veil_leaves_one_character_of_each_value():
    assert veil("mail ann@example.com now", find("mail ann@example.com now")) == "mail a••• now"


VALUES = st.sampled_from(
    ["ann.lee@example.com", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "536-90-4399", "192.168.10.254"]
)
WORDS = st.lists(st.sampled_from(["the", "card", "is", "lost,", "pay", "Grüße", "你好", "12", "!"]), max_size=6).map(
    " ".join
)


@given(st.lists(st.tuples(WORDS, VALUES), min_size=1, max_size=4))
def test_masking_never_leaves_a_value(parts):
    text = " and ".join(f"{words} {value}" for words, value in parts)
    masked, counts, _drops = hide(text, find(text), Policy())
    assert not [value for _words, value in parts if value in masked]
    assert sum(counts.values()) >= 1
    assert hide(masked, find(masked), Policy())[0] == masked
