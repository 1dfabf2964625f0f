"""Whether the engines that answer are the ones that the settings speak of, asked before anything starts.

One that does not answer yet passes: engines may start later, and the reconciler looks at them from then on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from django.conf import settings

from gptstudio.core.errors import Conflict
from serving_app import engine_client
from serving_app.engine_client import EngineAway, EngineBroke, EngineRefused

EMBEDDED = "embedded"  # starts with the studio, so whoever answers at its address now is another one's


def check_engines() -> None:
    """Raise Conflict where an engine does not take ENGINE_TOKEN, or none serves a name that ENGINE_MODELS gives."""
    asked = {name: url for name, url in settings.ENGINE_URLS.items() if name != EMBEDDED}
    if not asked:
        return
    served = asyncio.run(_served(asked))
    names = {name for each in served.values() for name in each or ()}
    for model_id, name in settings.ENGINE_MODELS.items():
        if name not in names and None not in served.values():
            raise Conflict(
                f"ENGINE_MODELS says that {name} is served, and {_told(served)}.",
                fix=f"Correct the name behind {model_id}=, or start an engine with that model.",
            )


async def _served(urls: Mapping[str, str]) -> dict[str, tuple[str, ...] | None]:
    """What each engine answers for; None where it says nothing now."""
    found: dict[str, tuple[str, ...] | None] = {}
    try:
        for name, url in urls.items():
            try:
                found[name] = (await engine_client.models(url.rstrip("/"))).names
            except (EngineAway, EngineBroke):
                found[name] = None
            except EngineRefused as error:
                if error.status in (401, 403):
                    raise Conflict(
                        f"The engine {name} of ENGINE_URLS does not take ENGINE_TOKEN.",
                        fix="Give both the same one (vLLM: --api-key).",
                    ) from error
                found[name] = None
    finally:
        await engine_client.close()
    return found


def _told(served: Mapping[str, tuple[str, ...] | None]) -> str:
    return ", ".join(f"{engine} serves {', '.join(names or ()) or 'nothing'}" for engine, names in served.items())
