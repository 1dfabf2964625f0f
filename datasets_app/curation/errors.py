"""The one error curation raises for people: what is wrong, and what to do about it. No traceback, no exit code."""

from __future__ import annotations


class Refusal(Exception):
    """Curation cannot go on. ``code`` is a short snake_case key, ``message`` and ``fix`` are sentences for people."""

    def __init__(self, *, code: str, message: str, fix: str) -> None:
        super().__init__(f"{message} {fix}")
        self.code = code
        self.message = message
        self.fix = fix

    def __reduce__(self) -> tuple[object, ...]:
        """So that a refusal in another process arrives whole."""
        return (_refusal, (self.code, self.message, self.fix))

    @property
    def sentence(self) -> str:
        """The message and the way out, as one text."""
        return f"{self.message} {self.fix}"


def _refusal(code: str, message: str, fix: str) -> Refusal:
    return Refusal(code=code, message=message, fix=fix)
