"""Bodies for engines that others wrote, read as our own engine reads them: what is none of OpenAI's fields, or cannot be
honoured, is refused. Such an engine may ignore it, or take it for a way around the workspace's rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gptstudio.core.errors import Invalid
from serving_app.engine.errors import EngineError
from serving_app.engine.protocol.chat_request import read_chat_request
from serving_app.engine.protocol.embedding_request import read_embedding_request
from serving_app.engine.protocol.text_request import read_text_request

READERS: dict[str, Callable[[object], object]] = {
    "chat/completions": read_chat_request,
    "completions": read_text_request,
    "embeddings": read_embedding_request,
}


def check_fields(endpoint: str, body: Mapping[str, Any]) -> None:
    """Read a body for an engine's address below /v1. Raises Invalid, which names the field."""
    try:
        READERS[endpoint](dict(body))
    except EngineError as error:
        raise Invalid(error.message, code=error.code or "", param=error.param or "") from error
