"""The web process."""

from __future__ import annotations

import gc
import os
from importlib import import_module
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gptstudio.settings.local")

django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402 - read with the set-up above

from gptstudio.core.bodies import BodyGate, DjangoOnOwnDisk  # noqa: E402
from gptstudio.overview.bodies import StudioBodies  # noqa: E402
from serving_app.openai.direct import InferenceFirst  # noqa: E402
from serving_app.services.lifespan import lifespan  # noqa: E402

answer = BodyGate(InferenceFirst(DjangoOnOwnDisk()), StudioBodies())

# All views are loaded now, not by the first request, and they stay. Looking through them for garbage would hold up every
# stream that is under way, again and again, for a fifth of a second; what requests leave is mostly free of cycles.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Django answers requests behind the body gate; the end of the process is announced to those with connections."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    else:
        await answer(scope, receive, send)
