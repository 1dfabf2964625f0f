"""The parts of lists: heads that sort, the form that narrows, and what stands where nothing was found."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gptstudio.web.lists import Listing
from gptstudio.web.templatetags.studio import address

register = template.Library()
UPWARDS, DOWNWARDS = ("ascending", "↑"), ("descending", "↓")


@register.simple_tag(takes_context=True)
def column(context: dict[str, Any], listing: Listing, key: str, words: str, css: str = "") -> SafeString:
    """A column's head that sorts. Numbers and times (`num`) begin with the greatest, words with the first."""
    down = f"-{key}"
    state, arrow = UPWARDS if listing.sort == key else DOWNWARDS if listing.sort == down else ("none", "")
    first, second = (down, key) if css == "num" else (key, down)
    target = second if listing.sort == first else first
    to = address(context, sort="" if target == listing.usual else target, page="")
    kind = format_html(' class="{}"', css) if css else ""
    head = '<th{} aria-sort="{}"><a href="{}">{}<span aria-hidden="true">{}</span></a></th>'
    return format_html(head, kind, state, to, words, arrow)


@register.inclusion_tag("web/parts/finder.html", takes_context=True)
def finder(context: dict[str, Any], listing: Listing, placeholder: str = "Part of a name") -> dict[str, Any]:
    """The form above a list; what else the address says is kept, but for the page."""
    request = context["request"]
    own = {"q", "page", "mark", *(choice.name for choice, _value in listing.choices)}
    kept = [(name, value) for name, value in request.GET.items() if name not in own]
    return {"listing": listing, "placeholder": placeholder, "kept": kept}


@register.inclusion_tag("web/parts/not_found.html", takes_context=True)
def not_found(context: dict[str, Any], listing: Listing, noun: str) -> dict[str, Any]:
    """What stands in the place of a list that was narrowed to nothing."""
    return {"listing": listing, "noun": noun, "everything": context["request"].path}
