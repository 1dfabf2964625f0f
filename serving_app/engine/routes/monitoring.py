"""Health, metrics and the usage journal."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from aiohttp import web

from serving_app.engine.errors import invalid
from serving_app.engine.routes.wire import ENGINE


async def health(request: web.Request) -> web.Response:
    """200 when requests are taken; 503 with a status of loading, draining, journal or stuck."""
    engine = request.app[ENGINE]
    state = engine.health()
    body = {
        "status": state.status,
        "detail": state.detail,
        "models": [served.name for served in engine.models.all()],
        "running": engine.stepper.running,
        "waiting": engine.stepper.waiting,
    }
    return web.json_response(body, status=200 if state.ready else 503)


async def metrics(request: web.Request) -> web.Response:
    """Prometheus text under vLLM's names."""
    text = request.app[ENGINE].metrics.text()
    return web.Response(body=text, headers={"content-type": "text/plain; version=0.0.4; charset=utf-8"})


async def usage(request: web.Request) -> web.Response:
    """Journal rows after a sequence number, oldest first, up to 1,000: `{"data": [...], "last": seq}`."""
    given = request.query.get("after", "0")
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise invalid("'after' must be a sequence number.", param="after")
    after = int(given)
    rows = await asyncio.to_thread(request.app[ENGINE].journal.rows_after, after)
    return web.json_response({"data": [asdict(row) for row in rows], "last": rows[-1].seq if rows else after})
