"""Parts of a request made fit to be kept: what can be read as JSON goes value by value, each with its key as the name of
its column, everything else as prose. What nobody here can read is not kept.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from datasets_app.curation.pii.columns import column_type
from datasets_app.curation.pii.masking import mask_of
from datasets_app.curation.pii.talk import Talk
from serving_app.guardrails.personal import Personal
from serving_app.guardrails.prompts import NO_TEXT

UNREADABLE = "[TOKEN_IDS]"


class Scrubber:
    """Hides personal data in parts of a body. `earlier`: the turns before, oldest first; they explain bare numbers."""

    def __init__(self, personal: Personal, earlier: Sequence[str] = ()) -> None:
        self._personal = personal
        self.earlier = Talk(earlier)

    def part(self, value: Any, name: str = "") -> Any:
        """A part of a body, which stands under `name`. Token ids, which decode to a text, become a mask."""
        if isinstance(value, str):
            return self.arguments(value) if name == "arguments" else self.text(value)
        if isinstance(value, list):
            if any(isinstance(each, int | float) for each in value):
                return UNREADABLE
            return [self.part(each, name) for each in value]
        if isinstance(value, dict):
            return {key: each if key in NO_TEXT else self.part(each, key) for key, each in value.items()}
        return self._value(value, (name,))

    def text(self, text: str) -> str:
        """Prose, or an object or a list as JSON."""
        found = _parsed(text) if text.lstrip()[:1] in ("{", "[") else None
        return self._prose(text) if found is None else self._written(found)

    def arguments(self, text: str) -> str:
        """The arguments of a call: nothing where they are no JSON."""
        found = _parsed(text)
        return "" if found is None else self._written(found)

    def _written(self, value: Any) -> str:
        return json.dumps(self._value(value, ()), ensure_ascii=False)

    def _value(self, value: Any, path: tuple[str, ...]) -> Any:
        """A value of JSON below these keys."""
        if isinstance(value, dict):
            return {self._prose(key): self._value(each, (*path, key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self._value(each, path) for each in value]
        if value is None or isinstance(value, bool):
            return value
        text = str(value)
        entity_type = column_type(" ".join(path[-1:])) or column_type(" ".join(path[-2:]))
        if entity_type and text.strip():
            return mask_of(entity_type)
        hidden = self._prose(text)
        return value if hidden == text else hidden

    def _prose(self, text: str) -> str:
        return self._personal.scrubbed(text, self.earlier)


def _parsed(text: str) -> Any:
    """JSON's object or list; None for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None
