"""Typed reading of a JSON object: each reader names the field it disliked and what is allowed. Knows no spec."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from training_app.engine.errors import EngineError


class Fields:
    """The keys of one JSON object, taken one by one; what nobody took is unknown."""

    def __init__(self, content: dict[str, Any], path: str) -> None:
        self._content = content
        self._path = path
        self._taken: set[str] = set()

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self._take(key)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(key, value, "a text that is not empty")
        return value

    def optional_text(self, key: str) -> str | None:
        """A text that is not empty, or null or absent."""
        if self._content.get(key) is None:
            self.ignore(key)
            return None
        return self.text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, perhaps empty."""
        value = self._take(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(key, value, "a list of texts")
        return tuple(value)

    def optional_texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty when it is null or absent."""
        if self._content.get(key) is None:
            self.ignore(key)
            return ()
        return self.texts(key)

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """One of the allowed words."""
        value = self._take(key)
        if value not in allowed:
            raise self._wrong(key, value, " or ".join(f'"{word}"' for word in allowed))
        return str(value)

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        value = self._take(key)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            allowed = str(low) if low == high else f"a whole number from {low} to {high}"
            raise self._wrong(key, value, allowed)
        return value

    def number(self, key: str, low: float, high: float, *, above: bool = False) -> float:
        """A finite number from low to high; with `above`, low itself is not allowed."""
        value = self._take(key)
        start = f"above {low:g}" if above else f"from {low:g}"
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._wrong(key, value, f"a number {start} to {high:g}")
        if value < low or value > high or (above and value == low):
            raise self._wrong(key, value, f"a number {start} to {high:g}")
        return float(value)

    def optional_number(self, key: str, low: float, high: float, *, above: bool = False) -> float | None:
        """A finite number as `number` reads it, or null or absent."""
        if self._content.get(key) is None:
            self.ignore(key)
            return None
        return self.number(key, low, high, above=above)

    def optional_numbers(self, key: str, low: float, high: float) -> dict[str, float] | None:
        """An object of finite numbers from low to high, or null or absent."""
        if self._content.get(key) is None:
            self.ignore(key)
            return None
        inside = self.group(key)
        return {name: inside.number(name, low, high) for name in self._content[key]}

    def group(self, key: str) -> Fields:
        """A nested object."""
        value = self._take(key)
        if not isinstance(value, dict):
            raise self._wrong(key, value, "a JSON object")
        return Fields(value, self._where(key))

    def plain(self, key: str) -> dict[str, Any]:
        """A nested object as it is, for a reader of its own."""
        self.group(key)
        return dict(self._content[key])

    def ignore(self, key: str) -> None:
        """Accept a key without reading it."""
        self._taken.add(key)

    def refuse_unknown(self) -> None:
        """Raise when the object has a key that nobody took."""
        unknown = sorted(set(self._content) - self._taken)
        if unknown:
            known = ", ".join(sorted(self._taken))
            raise self._error(f"{self._where(unknown[0])} is not a field the engine knows; allowed here: {known}.")

    def _take(self, key: str) -> Any:
        self._taken.add(key)
        if key not in self._content:
            raise self._error(f"{self._where(key)} is missing.")
        return self._content[key]

    def _where(self, key: str) -> str:
        return f"{self._path}.{key}"

    def _wrong(self, key: str, value: Any, allowed: str) -> EngineError:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        return self._error(f"{self._where(key)} is {shown}; allowed is {allowed}.")

    def _error(self, message: str) -> EngineError:
        return EngineError("spec_invalid", message, fix="Correct this field of the spec and start the job again.")
