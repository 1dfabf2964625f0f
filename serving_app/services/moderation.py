"""Asking the moderation server, in the studio's own errors. What a result means is not its concern."""

from __future__ import annotations

from typing import Any

from gptstudio.core.errors import Invalid, Unavailable
from serving_app import moderation_client
from serving_app.moderation_client import ModerationAway, ModerationRefused

CALLERS_OWN = (400, 413, 422)
AWAY = "moderation_unavailable"


async def moderate(texts: list[str], *, model: str) -> list[Any]:
    """One result for each text. Raises Unavailable, or Invalid where the server finds the texts at fault."""
    try:
        return await moderation_client.judge(texts, model=model)
    except ModerationAway as error:
        raise Unavailable(f"The moderation server is away. {error}", fix="Try again.", code=AWAY) from error
    except ModerationRefused as error:
        if error.status in CALLERS_OWN:
            said = str(error)[:300] or "it cannot judge this."
            raise Invalid(f"The moderation server says: {said}", code="invalid_value", param="input") from error
        if error.status in (401, 403):
            raise Unavailable("The moderation server refuses this studio's MODERATION_TOKEN.", code=AWAY) from error
        raise Unavailable(f"The moderation server answered {error.status}.", fix="Try again.", code=AWAY) from error
