"""Forms that make something, sent twice: by a double click, from a page that was gone back to, by a browser that tries again.

Each form carries a word that was drawn when its page was made. Who sends the same word with the same contents again is led to
what was made the first time. What that is stands in the cache for an hour, by a digest that tells nothing of the contents.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from gptstudio.core.errors import Conflict

FIELD = "sent_once"
KEPT, PATIENCE, LOOK = 3600, 10.0, 0.1  # seconds: what is remembered, how long a second click waits, between two looks
UNDER_WAY, WITHOUT_ADDRESS = "", "shown"
View = Callable[..., HttpResponse]


def made_once(*, shows: bool = False) -> Callable[[View], View]:
    """Let a form be done once. `shows`: what was made is on the page that answers, as a secret is, and is not shown again."""

    def around(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            word = request.POST.get(FIELD, "") if request.method == "POST" else ""
            if not word:
                return view(request, *args, **kwargs)
            key = _key(request)
            if not cache.add(key, UNDER_WAY, KEPT) and (made := _made(key)) is not None:
                return _led_to(request, made)
            address = None
            try:
                answer = view(request, *args, **kwargs)
                address = answer.get("Location") or answer.get("X-Location")
                if shows and answer.status_code == 200:
                    address = WITHOUT_ADDRESS
            finally:
                if address is None:
                    cache.delete_many([key])  # nothing was made: the same may be sent again
            if address is not None:
                cache.set(key, address, KEPT)
            return answer

        return guarded

    return around


def _key(request: HttpRequest) -> str:
    typed = sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")
    files = sorted((name, each.name, each.size) for name, all_of in request.FILES.lists() for each in all_of)
    said = repr((request.user.pk, request.path, typed, files))
    return f"once:{sha256(said.encode(errors='surrogatepass')).hexdigest()}"


def _made(key: str) -> str | None:
    """Where the first one led, once it is done; None where it made nothing."""
    until = time.monotonic() + PATIENCE
    while (found := cache.get(key)) == UNDER_WAY:
        if time.monotonic() > until:
            raise Conflict(
                "This form was sent twice, and is still being worked on.", fix="Look into the list in a moment."
            )
        time.sleep(LOOK)
    return None if found is None else str(found)


def _led_to(request: HttpRequest, address: str) -> HttpResponse:
    if address == WITHOUT_ADDRESS:
        raise Conflict(
            "This form was sent already, and what it asked for is done. What was shown then is shown once.",
            fix="Look into the list. To make another one, open the form anew.",
        )
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return HttpResponse(status=204, headers={"X-Location": address})
    return redirect(address)
