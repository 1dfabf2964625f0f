"""Charts as plain geometry: numbers in, coordinates and words out; templates draw them as SVG.

It knows no models and no requests. A chart always carries a sentence for those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
LEFT, TOP, BOTTOM, RIGHT = 56, 14, 26, 14


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, and what is written there."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One drawn series; `number` chooses the colour."""

    label: str
    number: int
    points: str
    last_x: float
    last_y: float
    last_text: str
    is_dot: bool


@dataclass(frozen=True, slots=True)
class Dot:
    """One point that stands for itself; `number` chooses the colour."""

    x: float
    y: float
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """All that the line chart's template needs."""

    width: int
    height: int
    left: int
    right: int
    lines: list[Line]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    base: float
    sentence: str
    dots: Sequence[Dot] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a bar chart or a histogram."""

    x: float
    y: float
    width: float
    height: float
    label: str
    text: str
    is_over: bool = False

    @property
    def beyond(self) -> float:
        """Where a text behind a bar that lies begins."""
        return self.x + self.width + 8


@dataclass(frozen=True, slots=True)
class BarChart:
    """All that the bar templates need. `limit_x` is where a limit stands, None without one."""

    width: int
    height: int
    bars: list[Bar]
    sentence: str
    x_ticks: list[Tick]
    base: float = 0.0
    limit_x: float | None = None
    limit_text: str = ""


def number_text(value: float) -> str:
    """Three significant figures, thousands separated, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    rounded = round(value, digits)
    text = f"{rounded:,.{min(digits, 8)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def nice_step(span: float, count: int) -> float:
    """A step of 1, 2, 2.5 or 5 times a power of ten that cuts `span` into about `count` parts."""
    raw = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round values that reach from below `low` to above `high`; what is never below nothing gets no axis there."""
    if not high > low:
        low, high = low - 0.5 if low < 0 else max(0.0, low - 0.5), high + 0.5
    step = nice_step(high - low, count)
    start, end = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) for index in range(start, end + 1)]


def line_chart(
    series: Sequence[tuple[str, Sequence[Point]]],
    *,
    x_end: float = 0,
    x_unit: str = "",
    width: int = 640,
    height: int = 220,
    numbers: Sequence[int] = (1, 2, 3, 4, 5),
    x_marks: Sequence[Tick] = (),
    floor: float | None = None,
    dots: Sequence[tuple[Point, int, str]] = (),
) -> LineChart | None:
    """Lines over a common axis; `x_end` keeps room for what is still to come. None without a line of finite points.

    `dots` are points with their colour and what they stand for.

    `x_marks` are written below instead of round numbers, `at` counted as x is; `floor` is a value that the axis reaches.
    """
    kept = [(label, number, _finite(points)) for (label, points), number in zip(series, numbers, strict=False)]
    kept = [each for each in kept if each[2]]
    if not kept:
        return None
    dots = [each for each in dots if _finite([each[0]])]
    flat = [*(point for _, _, points in kept for point in points), *(point for point, _, _ in dots)]
    lowest = min(y for _, y in flat)
    values = ticks(lowest if floor is None else min(lowest, floor), max(y for _, y in flat))
    last = max([x for x, _ in flat] + [x_end, 1])
    bottom = height - BOTTOM

    def place(x: float, y: float) -> Point:
        share = (y - values[0]) / (values[-1] - values[0])
        return LEFT + x / last * (width - LEFT - RIGHT), bottom - share * (bottom - TOP)

    lines = [_line(label, number, [place(*point) for point in points], points) for label, number, points in kept]
    y_ticks = [Tick(place(0, value)[1], number_text(value)) for value in values]
    x_ticks = [Tick(place(each.at, values[0])[0], each.text) for each in x_marks] or _x_ticks(
        last, place, values[0], x_unit
    )
    drawn = [Dot(*place(*point), number, text) for point, number, text in dots]
    sentence = _line_sentence(kept)
    return LineChart(width, height, LEFT, width - RIGHT, lines, x_ticks, y_ticks, bottom, sentence, drawn)


def _x_ticks(last: float, place: Callable[[float, float], Point], low: float, x_unit: str) -> list[Tick]:
    """Round numbers below the lines, the last with its unit."""
    steps = [value for value in ticks(0, last) if value <= last * 1.0001]
    x_ticks = [Tick(place(value, low)[0], number_text(value)) for value in steps]
    x_ticks[-1] = Tick(x_ticks[-1].at, f"{x_ticks[-1].text} {x_unit}".strip())
    return x_ticks


def _finite(points: Sequence[Point]) -> list[Point]:
    return [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]


def _line(label: str, number: int, placed: list[Point], points: list[Point]) -> Line:
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    end = placed[-1]
    return Line(label, number, drawn, end[0], end[1], number_text(points[-1][1]), len(placed) == 1)


def _line_sentence(kept: Sequence[tuple[str, int, list[Point]]]) -> str:
    parts = []
    for label, _, points in kept:
        first, last = points[0][1], points[-1][1]
        verb = "falls" if last < first else "rises" if last > first else "stays"
        if verb == "stays":
            parts.append(f"{label} stays at {number_text(last)}")
        else:
            parts.append(f"{label} {verb} from {number_text(first)} to {number_text(last)}")
    return ", ".join(parts) + "."


def bar_chart(pairs: Sequence[tuple[str, float]], *, unit: str = "", width: int = 420) -> BarChart | None:
    """Bars that lie, one a label, the longest filling the width. None when there is nothing to show."""
    if not pairs or max(value for _, value in pairs) <= 0:
        return None
    most = max(value for _, value in pairs)
    name_width = min(150, 16 + 6.4 * max(len(_short(label)) for label, _ in pairs))
    room = width - name_width - 64
    bars = [
        Bar(name_width, 8 + row * 26, max(2.0, value / most * room), 12, _short(label), f"{number_text(value)}{unit}")
        for row, (label, value) in enumerate(pairs)
    ]
    largest = max(pairs, key=lambda pair: pair[1])
    sentence = f"{len(pairs)} bars; the longest is {largest[0]} with {number_text(largest[1])}{unit}."
    return BarChart(width, 14 + 26 * len(pairs), bars, sentence, [])


def _short(label: str, letters: int = 21) -> str:
    return label if len(label) <= letters else label[: letters - 1] + "…"


def columns(
    pairs: Sequence[tuple[str, float]],
    *,
    noun: str,
    limit: float | None = None,
    edges: Sequence[float] = (),
    limit_text: str = "",
    width: int = 420,
    height: int = 190,
) -> BarChart | None:
    """Columns that stand side by side. With `edges` (each column's upper end) those beyond `limit` are marked."""
    if not pairs or max(value for _, value in pairs) <= 0:
        return None
    most, bottom = max(value for _, value in pairs), height - 30
    slot = (width - 24) / len(pairs)
    bars = [
        Bar(
            x=12 + index * slot + slot * 0.1,
            y=bottom - value / most * (bottom - 26),
            width=slot * 0.8,
            height=max(value / most * (bottom - 26), 1.0 if value else 0.0),
            label=label,
            text=f"{label}: {number_text(value)} {noun}",
            is_over=limit is not None and bool(edges) and edges[index] > limit,
        )
        for index, (label, value) in enumerate(pairs)
    ]
    every = max(1, math.ceil(len(pairs) / max(2, width // 56)))
    x_ticks = [Tick(bar.x + bar.width / 2, bar.label) for bar in bars[::every]]
    limit_x = _limit_at(edges, limit, slot)
    highest = max(pairs, key=lambda pair: pair[1])
    sentence = f"{len(pairs)} columns; the highest is {highest[0]} with {number_text(highest[1])} {noun}."
    return BarChart(width, height, bars, sentence, x_ticks, bottom, limit_x, limit_text)


def _limit_at(edges: Sequence[float], limit: float | None, slot: float) -> float | None:
    if limit is None or not edges or edges[-1] < limit:
        return None
    within = sum(1 for edge in edges if edge <= limit)
    return 12 + within * slot
