"""Parts of a page that refresh themselves: 204 while nothing changed, a reload of the page when the work is over."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def mark_of(*seen: object) -> str:
    """A short mark of all that the part shows; it changes when one of these does."""
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:12]


def part(
    request: HttpRequest, template: str, context: dict[str, Any], *, mark: str, is_over: bool = False
) -> HttpResponse:
    """The part, or 204 when the browser shows this very state already. `is_over` reloads the whole page."""
    if is_over:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    if request.GET.get("mark") == mark:
        return HttpResponse(status=204)
    return render(request, template, {**context, "mark": mark})
