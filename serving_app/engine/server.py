"""The HTTP application and its life: routes in place, models loaded, drained on SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from pathlib import Path

from aiohttp import web

from serving_app.engine.engine import Engine
from serving_app.engine.journal import Journal
from serving_app.engine.routes import chat, embeddings, models, monitoring, text
from serving_app.engine.routes.wire import ENGINE, envelope_errors, require_token
from serving_app.engine.settings import EngineSettings
from serving_app.engine.watchdog import start_watchdog

log = logging.getLogger(__name__)

# A prompt's characters are bounded long before the context is: nobody needs to read more than this to refuse it.
LARGEST_BODY = 8 * 2**20


def build_application(engine: Engine) -> web.Application:
    """The application over one engine."""
    app = web.Application(middlewares=[envelope_errors, require_token], client_max_size=LARGEST_BODY)
    app[ENGINE] = engine
    app.add_routes(
        [
            web.get("/health", monitoring.health),
            web.get("/metrics", monitoring.metrics),
            web.get("/usage", monitoring.usage),
            web.get("/v1/models", models.list_models),
            web.get("/v1/models/{name:.+}", models.get_model),
            web.post("/v1/load_model", models.load_model),
            web.post("/v1/unload_model", models.unload_model),
            web.post("/v1/load_lora_adapter", models.load_adapter),
            web.post("/v1/unload_lora_adapter", models.unload_adapter),
            web.post("/v1/chat/completions", chat.chat_completions),
            web.post("/v1/completions", text.text_completions),
            web.post("/v1/embeddings", embeddings.embeddings),
        ]
    )
    return app


async def serve(
    settings: EngineSettings, *, listener: socket.socket, journal: Path, preload: list[tuple[str, str]]
) -> None:
    """Run on a bound socket until SIGTERM or SIGINT, then drain. Errors: EngineError, JournalBusyError."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    engine = Engine(settings, Journal(journal))
    runner = web.AppRunner(build_application(engine), handler_cancellation=True, access_log=None)
    await runner.setup()
    engine.starting = bool(preload)
    beating = asyncio.ensure_future(engine.beat())
    # The libraries stay: no collection of garbage needs to look through them in the middle of a step.
    gc.collect()
    gc.freeze()
    gc.enable()
    start_watchdog(engine.stalled_for, limit=2 * settings.stuck_seconds)
    try:
        await web.SockSite(runner, listener, shutdown_timeout=1.0).start()
        log.info("listening on %s:%s", *listener.getsockname()[:2])
        await _until_stopped(engine, stop, preload)
    finally:
        await engine.drain()
        await runner.cleanup()
        beating.cancel()


async def _until_stopped(engine: Engine, stop: asyncio.Event, preload: list[tuple[str, str]]) -> None:
    """Load the models given at start while already answering /health, then wait for the signal."""
    loading = asyncio.ensure_future(_preload(engine, preload))
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({loading, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if loading.done():
        loading.result()
    await stopped
    log.info("stopping: no new requests are taken")


async def _preload(engine: Engine, preload: list[tuple[str, str]]) -> None:
    for name, path in preload:
        await engine.load(name=name, path=path, digest=None)
        log.info("loaded %s", name)
    engine.starting = False
