"""Emoji, URLs and handles."""

from __future__ import annotations

import pytest

from datasets_app.curation.cleaning.symbols import replace_symbols

TEXT = "hi 👍🏽 all 👨‍👩‍👧, see https://a.example/b?c=1. Or www.x.example; mail bob@x.example or @bob_1!"


def test_everything_is_kept_unless_a_policy_says_otherwise():
    assert replace_symbols(TEXT) == TEXT


def test_placeholders_take_the_place_of_whole_emoji_urls_and_handles():
    found = replace_symbols(TEXT, emoji="placeholder", urls="placeholder", handles="placeholder")
    assert found == "hi [EMOJI] all [EMOJI], see [URL]. Or [URL]; mail bob@x.example or [HANDLE]!"


def test_removal_leaves_no_gap():
    found = replace_symbols(TEXT, emoji="remove", urls="remove", handles="remove")
    assert found == "hi all, see. Or; mail bob@x.example or!"


def test_emoji_can_become_their_names():
    assert replace_symbols("good 👍 job", emoji="name") == "good :thumbs_up: job"


@pytest.mark.parametrize(
    ("policy", "after"), [("remove", "see our page now"), ("placeholder", "see our page ([URL]) now")]
)
def test_the_words_of_a_link_stay(policy, after):
    assert replace_symbols("see [our page](https://a.example/x_(y)) now", urls=policy) == after


def test_signs_that_are_no_emoji_to_people_stay():
    assert replace_symbols("© 2020 Acme™ #1 * 5", emoji="remove") == "© 2020 Acme™ #1 * 5"


def test_an_address_is_no_handle():
    text = "bob@x.example a@b @bob@social.example user:pass@host"
    assert replace_symbols(text, handles="placeholder") == text
