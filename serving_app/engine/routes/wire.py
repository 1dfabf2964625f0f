"""What every route shares: the engine behind the application, bodies in, errors out, the bearer token, request ids."""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from serving_app.engine.engine import Engine, mint_attempt_id
from serving_app.engine.errors import EngineError, invalid
from serving_app.engine.protocol import strict_json

log = logging.getLogger(__name__)

ENGINE: web.AppKey[Engine] = web.AppKey("engine", Engine)
ID = re.compile(r"[A-Za-z0-9._:@+=/-]{1,200}")
# aiohttp passes the next route under the name `handler`.
Route = Callable[[web.Request], Awaitable[web.StreamResponse]]
# A defect of ours must still answer in the envelope.
DEFECTS = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, OSError)


async def read_json(request: web.Request) -> object:
    """The JSON body. Errors: 400 when it is none."""
    try:
        body: object = strict_json.read(await request.read())
    except (ValueError, RecursionError) as error:
        raise invalid(f"The request body is not valid JSON: {error}", param=None, code="invalid_json") from error
    return body


def attempt_id(request: web.Request) -> str:
    """The caller's X-Request-Id, or a new one. Errors: 400 when it could not stand in the journal."""
    return _id_in(request, "X-Request-Id", code="invalid_request_id") or mint_attempt_id()


def cache_scope(request: web.Request) -> str:
    """The caller's X-Cache-Scope: computed prefixes are shared within it alone. Empty: among all who name none."""
    return _id_in(request, "X-Cache-Scope", code="invalid_cache_scope")


def _id_in(request: web.Request, header: str, *, code: str) -> str:
    given = request.headers.get(header)
    if given is not None and not ID.fullmatch(given):
        raise invalid(f"{header} must be 1 to 200 letters, digits or ._:@+=/-", param=None, code=code)
    return given or ""


def error_response(error: EngineError) -> web.Response:
    """An error in OpenAI's envelope."""
    return web.json_response(error.body(), status=error.status, headers=error.headers())


@web.middleware
async def envelope_errors(request: web.Request, handler: Route) -> web.StreamResponse:
    """Every error leaves as JSON in the envelope, whoever raised it."""
    try:
        return await handler(request)
    except EngineError as error:
        return error_response(error)
    except web.HTTPException as error:
        message = f"{error.reason}: {request.method} {request.path}"
        return error_response(EngineError(message, status=error.status, code=f"http_{error.status}"))
    except ConnectionError:
        raise
    except DEFECTS:
        log.exception("a route failed: %s %s", request.method, request.path)
        return error_response(EngineError("The engine failed.", status=500, kind="server_error", code="internal_error"))


@web.middleware
async def require_token(request: web.Request, handler: Route) -> web.StreamResponse:
    """Every call but /health needs the bearer token when one is set."""
    token = request.app[ENGINE].settings.token
    if token is not None and request.path != "/health":
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise EngineError(
                "The engine's bearer token is missing or wrong.",
                status=401,
                kind="authentication_error",
                code="invalid_api_key",
            )
    return await handler(request)
