"""Strict reading of one JSON object: every field is read, known or refused. Knows JSON types and no meanings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving_app.engine.errors import invalid, unsupported


class Fields:
    """Takes fields off a JSON object one by one; `finish` refuses what nobody asked for.

    `null` means the same as absent, as in OpenAI's API. Errors are 400s that name the field with the way to it:
    `path` is where this object stands in the body, empty for the body itself.
    """

    def __init__(self, body: object, *, path: str = "") -> None:
        if not isinstance(body, dict):
            what = f"'{path}'" if path else "The request body"
            raise invalid(f"{what} must be a JSON object.", param=path or None)
        self._left: dict[str, Any] = dict(body)
        self._before = f"{path}." if path else ""

    def at(self, name: str) -> str:
        """The way to a field from the body."""
        return self._before + name

    def take(self, name: str) -> Any:
        """A field's raw value or None."""
        return self._left.pop(name, None)

    def text(self, name: str) -> str | None:
        """A string."""
        value = self.take(name)
        if value is not None and not isinstance(value, str):
            raise invalid(f"'{self.at(name)}' must be a string.", param=self.at(name))
        return value

    def need_text(self, name: str) -> str:
        """A string that must be there and not be empty."""
        value = self.text(name)
        if not value:
            raise invalid(f"'{self.at(name)}' is required.", param=self.at(name), code="missing_required_parameter")
        return value

    def flag(self, name: str) -> bool:
        """A boolean; false when absent."""
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            raise invalid(f"'{self.at(name)}' must be true or false.", param=self.at(name))
        return bool(value)

    def number(self, name: str, *, low: float, high: float, default: float) -> float:
        """A number within bounds, both included."""
        value = self.take(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise invalid(f"'{self.at(name)}' must be a number from {low:g} to {high:g}.", param=self.at(name))
        return float(value)

    def integer(self, name: str, *, low: int, high: int) -> int | None:
        """A whole number within bounds, both included."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise invalid(f"'{self.at(name)}' must be a whole number from {low} to {high}.", param=self.at(name))
        return value

    def inner(self, name: str) -> Fields | None:
        """A nested object."""
        value = self.take(name)
        return None if value is None else Fields(value, path=self.at(name))

    def allow_only(self, allowed: Mapping[str, tuple[Any, ...]], *, reason: str) -> None:
        """Fields of which only some values can be honoured."""
        for name, values in allowed.items():
            value = self.take(name)
            if value is not None and not any(type(value) is type(each) and value == each for each in values):
                raise unsupported(self.at(name), reason)

    def finish(self) -> None:
        """Refuse everything that is left."""
        for name in self._left:
            raise invalid(
                f"Unrecognized request argument: '{self.at(name)}'.", param=self.at(name), code="unknown_parameter"
            )
