"""Monitoring: how fast models answer, how much, what fails, what it costs and how busy the machine is, over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from gptstudio.web import live
from gptstudio.web.access import MemberRequest, member_page
from gptstudio.web.charts import BarChart, LineChart, Tick, columns, line_chart, number_text
from serving_app import selectors
from serving_app.selectors import RANKS, Slot, Watch, percentile

WIDE, NARROW = 500, 400


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time that can be chosen, and into how many slots it is cut."""

    key: str
    words: str
    length: timedelta
    slots: int
    clock: str


SPANS = (
    Span("quarter", "the last 15 minutes", timedelta(minutes=15), 30, "%H:%M"),
    Span("hour", "the last hour", timedelta(hours=1), 30, "%H:%M"),
    Span("day", "the last 24 hours", timedelta(days=1), 48, "%H:%M"),
    Span("week", "the last 7 days", timedelta(days=7), 56, "%-d %b"),
)


@dataclass(frozen=True, slots=True)
class Card:
    """A chart for wide screens and one for phones, with the names of its lines."""

    title: str
    unit: str
    wide: LineChart | BarChart | None
    narrow: LineChart | BarChart | None
    names: tuple[str, ...] = ()
    nothing: str = ""

    @property
    def is_lines(self) -> bool:
        return isinstance(self.wide, LineChart)


def _ticks(found: Watch, clock: str, count: int) -> list[Tick]:
    """Moments below the lines, as many as fit."""
    last, every = len(found.slots) - 1, max(1, round(len(found.slots) / count))
    return [
        Tick(float(at), f"{timezone.localtime(found.slots[at].begins):{clock}}") for at in range(0, last + 1, every)
    ]


def _lines(
    title: str, unit: str, found: Watch, clock: str, series: dict[str, Callable[[Slot], float | None]], nothing: str
) -> Card:
    points = [
        (name, [(float(at), value) for at, slot in enumerate(found.slots) if (value := worth(slot)) is not None])
        for name, worth in series.items()
    ]

    def drawn(width: int, count: int) -> LineChart | None:
        end = float(len(found.slots) - 1)
        return line_chart(points, x_end=end, x_marks=_ticks(found, clock, count), width=width, height=200, floor=0.0)

    return Card(title, unit, drawn(WIDE, 6), drawn(NARROW, 4), tuple(series), nothing)


def _columns(
    title: str, unit: str, found: Watch, clock: str, worth: Callable[[Slot], float], noun: str, nothing: str
) -> Card:
    pairs = [(f"{timezone.localtime(slot.begins):{clock}}", worth(slot)) for slot in found.slots]
    wide, narrow = (columns(pairs, noun=noun, width=width, height=200) for width in (WIDE, NARROW))
    most = max(value for _, value in pairs)
    return Card(title, f"at most {number_text(most)} {unit}".strip(), wide, narrow, nothing=nothing)


def cards(found: Watch, clock: str) -> list[Card]:
    """The charts of the page, in their order."""
    minutes = found.length.total_seconds() / 60
    untold = "No engine tells of its process."
    quiet, unseen = "No request was answered.", "No sample yet; the reconciler takes one every 15 seconds."

    def rank(name: str, at: int, scale: float = 1.0) -> Callable[[Slot], float | None]:
        return lambda slot: None if (v := percentile(getattr(slot, name), at)) is None else v * scale

    def mean(name: str) -> Callable[[Slot], float | None]:
        return lambda slot: getattr(slot, name)  # type: ignore[no-any-return]

    by_rank = {f"p{at}": rank("whole", at, 0.001) for at in RANKS}
    first_by_rank = {f"p{at}": rank("first", at) for at in RANKS}
    return [
        _lines("Whole answers", "seconds", found, clock, by_rank, quiet),
        _lines("First word of a stream", "milliseconds", found, clock, first_by_rank, "Nothing was streamed."),
        _columns("Requests", "a minute", found, clock, lambda s: s.ended / minutes, "requests a minute", quiet),
        _lines(
            "Failed", "percent of requests", found, clock,
            {"failed": lambda s: 100 * s.failed / s.ended if s.ended else None}, quiet,
        ),
        _columns("Tokens", "a minute", found, clock, lambda s: s.tokens / minutes, "tokens a minute", quiet),
        _columns("Spend", "in a column", found, clock, lambda s: s.cost_micro / 1e6, "spent", "Nothing was spent."),
        _lines("Gateway’s own time", "milliseconds before the engine is asked", found, clock,
               {"p50": rank("gateway", 50), "p95": rank("gateway", 95)}, quiet),
        _lines("Machine", "percent", found, clock,
               {"processor": mean("cpu"), "memory": mean("memory"), "engine’s cache": mean("cache")}, unseen),
        _lines("Engines", "sequences", found, clock, {"running": mean("running"), "waiting": mean("waiting")}, unseen),
        _lines("Engines’ processes", "percent of one core", found, clock, {"processor": mean("engine_cpu")}, untold),
        _lines("Engines’ memory", "GiB of all engines’ processes", found, clock, {"memory": mean("engine_gib")}, untold),
        _lines("Graphics processor", "percent", found, clock,
               {"busy": mean("gpu_busy"), "memory": mean("gpu_memory")}, "No engine tells of a graphics processor."),
    ]  # fmt: skip


def _sentence(found: Watch, words: str) -> str:
    ended, failed = found.total("ended"), found.total("failed")
    if not ended:
        return f"Nothing was asked in {words}."
    half, most = percentile(found.whole, 50), percentile(found.whole, 95)
    rate = "none failed" if not failed else f"{100 * failed / ended:.3g} % failed"
    said = f"{ended:,} request{'s' if ended != 1 else ''} ended in {words}; {rate}."
    if half is None or most is None:
        return said
    return f"{said} Half were whole within {_seconds(half)}, 95 % within {_seconds(most)}."


def _seconds(ms: float) -> str:
    return f"{number_text(ms / 1000)} s" if ms >= 1000 else f"{ms:.0f} ms"


def _span_of(request: MemberRequest) -> Span:
    return next((each for each in SPANS if each.key == request.GET.get("span")), SPANS[1])


def _mark(request: MemberRequest, span: Span) -> str:
    """Whether something changed, without reading requests and bills one by one."""
    sample, engines = selectors.latest_sample(), [(each.name, each.is_up) for each in selectors.replicas()]
    counts = selectors.watch_counts(request.actor.workspace_id, span=span.length)
    return live.mark_of(span.key, counts, sample and sample.at, engines, timezone.now().minute)


def _context(request: MemberRequest, mark: str) -> dict[str, Any]:
    span = _span_of(request)
    found = selectors.watch(request.actor.workspace_id, span=span.length, slots=span.slots)
    ended = found.total("ended")
    ranks = [(f"p{at}", percentile(found.whole, at), percentile(found.first, at)) for at in RANKS]
    sample, engines = selectors.latest_sample(), list(selectors.replicas())
    return {
        "span": span,
        "spans": SPANS,
        "sentence": _sentence(found, span.words),
        "ranks": [(name, whole and _seconds(whole), first and _seconds(first)) for name, whole, first in ranks],
        "overhead": (v := percentile(found.gateway, 50)) is not None and f"{number_text(v)} ms",
        "ended": ended,
        "failed": found.total("failed"),
        "cancelled": found.total("cancelled"),
        "cost": found.total("cost_micro"),
        "cards": cards(found, span.clock),
        "errors": found.errors,
        "is_cut": found.is_cut,
        "sample": sample,
        "engines": engines,
        "mark": mark,
    }


@member_page("usage.view")
def monitoring(request: MemberRequest) -> HttpResponse:
    """The whole page; `span` is hour, day or week."""
    return render(request, "serving/monitoring.html", _context(request, _mark(request, _span_of(request))))


@member_page("usage.view")
def monitoring_live(request: MemberRequest) -> HttpResponse:
    """All below the heading by itself, every ten seconds."""
    mark = _mark(request, _span_of(request))
    if request.GET.get("mark") == mark:
        return HttpResponse(status=204)
    return live.part(request, "serving/parts/monitoring.html", _context(request, mark), mark=mark)
