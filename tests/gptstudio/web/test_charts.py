"""Charts: the geometry that templates draw."""

from __future__ import annotations

import math

import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from gptstudio.web.charts import bar_chart, columns, line_chart, number_text, ticks


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (3.14159, "3.14"), (0.00075, "0.00075"), (1234567, "1,234,567"), (38.25, "38.2"), (-0.5, "-0.5")],
)
def test_numbers_have_three_significant_figures(value: float, text: str) -> None:
    assert number_text(value) == text


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_enclose_the_values(low: float, span: float) -> None:
    found = ticks(low, low + span)
    slack = 1e-6 * (1 + abs(low) + span)
    assert found[0] <= low + slack and found[-1] >= low + span - slack
    assert 2 <= len(found) <= 8


def test_a_line_starts_left_and_keeps_room_for_what_is_to_come() -> None:
    chart = line_chart([("Loss", [(0, 4.0), (50, 2.0)])], x_end=100)
    assert chart is not None
    first, last = (tuple(map(float, point.split(","))) for point in chart.lines[0].points.split())
    assert first[0] == chart.left
    assert last[0] == pytest.approx((chart.left + chart.right) / 2)
    assert first[1] < last[1], "a falling loss falls on the screen"


def test_a_chart_says_what_it_shows() -> None:
    chart = line_chart([("Training loss", [(0, 4.0), (50, 2.0)]), ("validation loss", [(0, 4.0)])])
    assert chart is not None
    assert chart.sentence == "Training loss falls from 4 to 2, validation loss stays at 4."


def test_a_loss_that_is_not_a_number_leaves_a_gap_instead_of_breaking_the_page() -> None:
    chart = line_chart([("Loss", [(0, 4.0), (1, math.nan), (2, math.inf), (3, 2.0)])])
    assert chart is not None and len(chart.lines[0].points.split()) == 2
    assert line_chart([("Loss", [(0, math.nan)])]) is None


def test_one_point_is_a_dot() -> None:
    chart = line_chart([("Loss", [(5, 4.0)])])
    assert chart is not None and chart.lines[0].is_dot


def test_the_longest_bar_belongs_to_the_largest_value_and_none_leaves_the_picture() -> None:
    chart = bar_chart([("refund", 10), ("a label that is far too long to be written", 40)])
    assert chart is not None
    assert chart.bars[1].width > chart.bars[0].width
    assert all(bar.x + bar.width + 50 <= chart.width for bar in chart.bars)
    assert chart.bars[1].label.endswith("…")


def test_columns_beyond_the_limit_are_marked() -> None:
    chart = columns([("64", 5), ("128", 3), ("256", 1)], noun="rows", limit=128, edges=[64, 128, 256])
    assert chart is not None
    assert [bar.is_over for bar in chart.bars] == [False, False, True]
    assert chart.limit_x is not None and chart.bars[1].x < chart.limit_x <= chart.bars[2].x


def test_nothing_to_show_is_no_chart() -> None:
    assert bar_chart([]) is None and columns([("a", 0)], noun="rows") is None and line_chart([]) is None


def test_the_text_of_a_bar_stands_beyond_its_end() -> None:
    chart = bar_chart([("late", 30.0), ("lost", 10.0)], unit=" %")
    assert chart is not None
    for bar in chart.bars:
        assert bar.beyond > bar.x + bar.width and f'x="{bar.beyond:.1f}"' in render_to_string(
            "web/charts/bars.html", {"chart": chart}
        )


@pytest.mark.parametrize(("value", "least"), [(0, 0), (0.2, 0), (7, 6.4), (-3, -3.6)])
def test_a_level_line_has_room_around_it_but_none_below_nothing(value, least):
    found = ticks(value, value)
    assert least <= found[0] <= value < found[-1]
