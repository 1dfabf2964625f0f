"""The web process."""

from __future__ import annotations

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gptstudio.settings.local")

django.setup(set_prefix=False)

from gptstudio.core.bodies import BodyGate, DjangoOnOwnDisk  # noqa: E402 - models load with the set-up above
from gptstudio.overview.bodies import StudioBodies  # noqa: E402
from serving_app.openai.direct import InferenceFirst  # noqa: E402
from serving_app.services.lifespan import lifespan  # noqa: E402

answer = BodyGate(InferenceFirst(DjangoOnOwnDisk()), StudioBodies())


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Django answers requests behind the body gate; the end of the process is announced to those with connections."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    else:
        await answer(scope, receive, send)
