"""The one error a caller can be given, in OpenAI's envelope. Knows no HTTP library."""

from __future__ import annotations

from typing import Any


class EngineError(Exception):
    """A refusal or failure with everything OpenAI's error envelope needs; `retry_after` is in seconds."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.param = param
        self.code = code
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """The JSON body: `{"error": {message, type, param, code}}`."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}

    def headers(self) -> dict[str, str]:
        """Headers that go with the body; a client's retry waits `retry-after` seconds."""
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}


def invalid(message: str, *, param: str | None, code: str | None = "invalid_value") -> EngineError:
    """A 400 about one field of the request."""
    return EngineError(message, param=param, code=code)


def unsupported(param: str, reason: str) -> EngineError:
    """A 400 for what is valid in OpenAI's API but not done here; never ignored silently."""
    return EngineError(f"'{param}' is not supported here: {reason}", param=param, code="unsupported_parameter")


def unavailable(message: str, *, code: str, retry_after: int = 2) -> EngineError:
    """A 503: the engine cannot take this now, but may later."""
    return EngineError(message, status=503, kind="server_error", code=code, retry_after=retry_after)
