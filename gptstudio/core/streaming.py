"""Long answers, piece by piece: a plain generator behind an ASGI server, which would otherwise gather it whole first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator


async def in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a blocking generator, each made in a thread; the generator is closed when the reader leaves."""
    ended = object()
    try:
        while (piece := await asyncio.to_thread(next, pieces, ended)) is not ended:
            assert isinstance(piece, bytes)  # noqa: S101 - what the generator yields
            yield piece
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            await asyncio.to_thread(close)
