"""Errors for people: what happened, and what to do. The faces (pages, REST, OpenAI) decide how to print them."""

from __future__ import annotations


class StudioError(Exception):
    """An outcome that a person can act on. `message` says what and where; `fix` says what to do."""

    status = 400
    code = "invalid"

    def __init__(self, message: str, *, fix: str = "", code: str = "", param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.code = code or self.code
        self.param = param

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


class Invalid(StudioError):
    """The input cannot be taken as it is."""


class NotAllowed(StudioError):
    """The actor may see the subject but not do this to it."""

    status = 403
    code = "not_allowed"


class NotFound(StudioError):
    """Not there, or not the actor's to see: the two look alike on purpose."""

    status = 404
    code = "not_found"


class TooSlow(StudioError):
    """What was announced has not come in time."""

    status = 408
    code = "request_timeout"


class Conflict(StudioError):
    """The subject's state does not allow it."""

    status = 409
    code = "conflict"


class TooLarge(StudioError):
    """More bytes than an address or a store takes."""

    status = 413
    code = "request_too_large"


class TooMuch(StudioError):
    """A limit or a budget is used up."""

    status = 429
    code = "too_much"


class Unavailable(StudioError):
    """Something that the studio leans on is away; trying again later helps."""

    status = 503
    code = "unavailable"
