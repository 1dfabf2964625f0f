"""Words, numbers and parts of the design system for templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.forms import CheckboxSelectMultiple
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gptstudio.web import charts, navigation, wording
from gptstudio.web import road as roads
from gptstudio.web.acts import ACTS

register = template.Library()


def _time(moment: datetime, shown: Callable[[datetime], str]) -> SafeString:
    """A moment by the reader's clock, with the exact one and UTC's on hover."""
    local = timezone.localtime(moment)
    exact = f"{local:%d %B %Y, %H:%M:%S} {wording.zone_of(local)}".lstrip("0")
    if local.utcoffset():
        exact += f" ({local.astimezone(UTC):%H:%M:%S} UTC)"
    said = shown(local)
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(timespec="seconds"), exact, said)


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """A time as people say it."""
    return _time(moment, lambda local: wording.ago(local, now=timezone.localtime())) if moment else "–"


@register.filter
def day(moment: datetime | None) -> SafeString | str:
    """The day of a moment: `30 November 2026`."""
    return _time(moment, lambda local: f"{local:%d %B %Y}".lstrip("0")) if moment else "–"


@register.simple_tag
def clock() -> str:
    """By whose clock times are told here: `Europe/Berlin`, `UTC`."""
    return timezone.get_current_timezone_name()


@register.filter
def thousands(value: Any) -> str:
    """9412 as 9,412; a dash for nothing."""
    return f"{value:,}" if isinstance(value, int) else "–" if value in (None, "") else str(value)


@register.filter
def minus(value: Any, other: Any) -> Any:
    """`value` without `other`; nothing when one of them is missing."""
    return value - other if isinstance(value, int) and isinstance(other, int) else None


@register.filter
def sig3(value: Any) -> str:
    """At most three significant figures."""
    return charts.number_text(float(value)) if isinstance(value, int | float) else "–"


@register.filter
def compact(value: Any) -> str:
    """1.9 M."""
    return wording.compact(float(value)) if isinstance(value, int | float) else "–"


@register.filter
def money(micro: Any) -> str:
    """Millionths as an amount."""
    return wording.money(int(micro)) if micro is not None else "–"


@register.filter
def size(count: Any) -> str:
    """Bytes in the unit that fits."""
    return wording.size(int(count)) if count is not None else "–"


@register.filter
def lasting(span: timedelta | float | None) -> str:
    """A length of time."""
    return wording.lasting(span)


@register.filter
def percent(share: Any) -> str:
    """0.82 as 82 %."""
    return f"{share * 100:.3g} %" if isinstance(share, int | float) else "–"


@register.filter
def reason(key: str) -> str:
    """Why a row was left out, in words."""
    return wording.sentence_of(key)


@register.filter
def warned(kind: str) -> str:
    """What a warning about a version's rows is about, in two words."""
    return wording.WARNED.get(kind, kind.replace("_", " "))


@register.filter
def step_name(key: str) -> str:
    """What curation is at, in words."""
    return wording.STEPS.get(key, str(key or "").replace("_", " ").capitalize())


@register.filter
def speaker(role: str) -> str:
    """Who says a turn, in words."""
    return wording.SPEAKERS.get(str(role), str(role))


@register.filter
def personal(kind: str) -> str:
    """A type of personal data in words."""
    return wording.personal_title(str(kind))


@register.filter
def act(action: str) -> str:
    """An audited act in words: `key.issued` as `Issued a key`."""
    return ACTS.get(action, action.replace(".", " ").replace("_", " ").capitalize())


@register.filter
def tone(state: str) -> str:
    """The tone of a state: good, warn, bad, run or none."""
    return wording.TONES.get(str(state), "")


@register.filter
def entry(mapping: Any, key: Any) -> Any:
    """`mapping[key]`, or nothing."""
    return mapping.get(key) if isinstance(mapping, dict) else None


@register.filter
def value_of(form: Any, name: str) -> str:
    """What a form sent under a name, or nothing."""
    return str(form.get(name, ""))


@register.filter
def is_number(text: str) -> bool:
    """Whether a cell is a number with nothing but its unit, and stands on the right."""
    return text.replace(",", "").replace(".", "").removesuffix(" %").isdecimal()


@register.filter
def words(text: str) -> list[str]:
    """A text as its words, to go through them."""
    return text.split()


@register.filter
def may(actor: Any, action: str) -> bool:
    """Whether the actor may do this: templates show only what would work."""
    return actor is not None and actor.may(action)


@register.simple_tag
def tag(state: str, label: str = "") -> SafeString:
    """A state as a coloured word."""
    return format_html('<span class="tag {}">{}</span>', wording.TONES.get(str(state), ""), label or state)


@register.simple_tag
def hint(words: str, term: str) -> SafeString | str:
    """A field term with what it means and what a good value is, on hover and on focus."""
    meaning = wording.TERMS.get(term)
    if not meaning:
        return words
    return format_html('<span class="hint" tabindex="0">{}<span role="tooltip">{}</span></span>', words, meaning)


@register.simple_tag(takes_context=True)
def address(context: dict[str, Any], **changes: Any) -> str:
    """This page's query with some values changed; empty values drop out."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.inclusion_tag("web/parts/side.html", takes_context=True)
def side(context: dict[str, Any]) -> dict[str, Any]:
    """The side of the page."""
    request, actor = context["request"], context.get("actor")
    return {
        "groups": navigation.groups(actor, request.path) if actor else [],
        "membership": context.get("membership"),
        "user": request.user,
        "request": request,
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("web/parts/road.html")
def road(noun: str, subject: Any) -> dict[str, Any]:
    """Where this object stands on the road."""
    return {"steps": roads.road_of(noun, subject)}


@register.inclusion_tag("web/parts/field.html")
def field(bound: Any, help: str = "") -> dict[str, Any]:
    """A form's field with label, help and errors beside it."""
    widget = bound.field.widget
    kind, is_group = getattr(widget, "input_type", ""), isinstance(widget, CheckboxSelectMultiple)
    always_says = kind == "select" and all(value for value, _title in widget.choices)
    return {
        "field": bound,
        "help": help or bound.help_text,
        "is_check": kind == "checkbox" and not is_group,
        "is_group": is_group,
        "is_optional": not bound.field.required and not always_says,
    }


@register.inclusion_tag("web/parts/pager.html", takes_context=True)
def pager(context: dict[str, Any], span: Any, noun: str = "rows") -> dict[str, Any]:
    """Which rows these are, and the way on."""
    return {"span": span, "noun": noun, "request": context["request"]}
