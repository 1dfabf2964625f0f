"""Long answers, piece by piece: a plain generator behind an ASGI server, which would otherwise gather it whole first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header


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


def attachment(pieces: Iterator[bytes], *, name: str, kind: str, size: int | None = None) -> StreamingHttpResponse:
    """An answer that browsers save as `name`. `kind` is its content type; with `size` in bytes they show how far they are."""
    response = StreamingHttpResponse(in_threads(pieces), content_type=kind)
    response["Content-Disposition"] = content_disposition_header(True, name)
    if size is not None:
        response["Content-Length"] = str(size)
    return response
