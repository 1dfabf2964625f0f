"""Times, sizes and amounts as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gptstudio.web import wording
from gptstudio.web.templatetags import studio

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("back", "said"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=12), "12 minutes ago"),
        (timedelta(hours=25), "1 day ago"),
        (timedelta(days=-3), "in 3 days"),
        (timedelta(days=90), "16 February 2026"),
    ],
)
def test_a_time_is_said_as_people_say_it(back: timedelta, said: str) -> None:
    assert wording.ago(NOW - back, now=NOW) == said


def test_the_exact_time_is_there_on_hover() -> None:
    shown = studio.ago(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert 'datetime="2026-01-02T03:04:05+00:00"' in shown and 'title="2 January 2026, 03:04:05 UTC"' in shown


@pytest.mark.parametrize(
    ("micro", "said"), [(0, "0.00"), (11_400_000, "11.40"), (123, "0.000123"), (1_500, "0.0015"), (5, "0.000005")]
)
def test_a_small_bill_is_still_seen(micro: int, said: str) -> None:
    assert wording.money(micro) == said


@pytest.mark.parametrize(("count", "said"), [(12, "12 bytes"), (2048, "2 KB"), (5 << 20, "5 MB"), (3 << 30, "3 GB")])
def test_sizes(count: int, said: str) -> None:
    assert wording.size(count) == said


@pytest.mark.parametrize(("count", "said"), [(998, "998"), (21_000, "21 k"), (1_900_000, "1.9 M")])
def test_large_counts_are_short(count: int, said: str) -> None:
    assert wording.compact(count) == said


def test_a_hint_says_what_a_term_means_and_can_be_focused() -> None:
    shown = studio.hint("Perplexity", "perplexity")
    assert 'tabindex="0"' in shown and "Lower is better" in shown


def test_an_unknown_reason_is_still_words() -> None:
    assert wording.sentence_of("something_new") == "Something new"
