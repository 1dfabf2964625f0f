"""When something was said, in whatever spelling."""

from __future__ import annotations

from math import inf, isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_app.curation.moments import Moments, in_order

SPELT = (
    ["2023-12-31T23:59:58Z", "2024-01-01T01:00:00+01:00", "2024-01-01T00:00:01"],
    ["Fri, 05 Jan 2024 10:00:00 GMT", "Mon, 08 Jan 2024 09:00:00 GMT", "Tue, 09 Jan 2024 01:00:00 +0200"],
    ["Tue Oct 31 22:10:47 +0000 2017", "Wed Nov 01 08:00:00 +0000 2017"],
    ["12/31/2023 11:00 PM", "01/01/2024 9:00 AM", "01/02/2024 8:00 AM"],
    ["31/12/2023 23:00", "01/01/2024 09:00", "01/02/2024 08:00"],
    ["30.11.2023, 08:00", "01.12.2023, 07:00", "01.01.2024, 06:00"],
    ["Mon 18:00", "Fri 09:00"],
    ["9", "10", "1700000000"],
)


@pytest.mark.parametrize("spelt", SPELT)
def test_dates_stand_in_the_order_of_their_times_and_not_of_their_spelling(spelt):
    moments = Moments()
    for each in spelt:
        moments.see(each)
    found = [moments.of(each) for each in spelt]
    assert found == sorted(set(found)) and all(map(isfinite, found))


def test_the_same_time_in_two_zones_is_one_moment():
    assert Moments().of("2024-01-01T01:00:00+01:00") == Moments().of("Mon, 01 Jan 2024 00:00:00 GMT")


@given(st.text(max_size=30) | st.text("0123456789/.:- apmMonJanTZ+", max_size=30) | st.floats() | st.none())
def test_anything_else_comes_last_and_nothing_fails(value):
    assert isinstance(Moments().of(value), float)
    assert Moments().of(float("nan")) == Moments().of("soon") == Moments().of(None) == inf


def test_of_one_minute_the_later_lines_are_older_where_the_newest_come_first():
    assert in_order(["d", "c", "b", "a"], [3, 2, 2, 1]) == ["a", "b", "c", "d"]
    assert in_order(["a", "b", "c"], [1, 1, 2]) == ["a", "b", "c"]
    assert in_order(["a", "b"], [1, 1]) == ["a", "b"]
