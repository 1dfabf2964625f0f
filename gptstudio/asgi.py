"""The web process."""

from __future__ import annotations

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gptstudio.settings.local")

django = get_asgi_application()

from serving_app.services.lifespan import lifespan  # noqa: E402 - models load with the application above


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Django answers requests; the end of the process is announced to those who hold connections."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    else:
        await django(scope, receive, send)
