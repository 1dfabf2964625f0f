"""Patterns that people write, run by RE2: time linear in the text, whatever the pattern. Never Python's `re`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datasets_app.curation.filters import texts_at
from datasets_app.curation.rows import Conversation, Rejection

MOST_MEMORY = 16 << 20
SHOWN = 60


def compiled(pattern: str, *, ignore_case: bool = True) -> Any:
    """The compiled pattern. Raises ValueError with RE2's own sentence."""
    import re2

    options = re2.Options()
    options.log_errors, options.case_sensitive, options.max_mem = False, not ignore_case, MOST_MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0]
        raise ValueError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from error


def fault(patterns: Sequence[str]) -> str | None:
    """What is wrong with the first bad pattern, as a sentence, or None."""
    for pattern in patterns:
        if not pattern:
            return "A pattern is empty; it would match every row."
        try:
            compiled(pattern)
        except ValueError as error:
            return f"The pattern “{pattern[:SHOWN]}” cannot be used: {error}."
    return None


class Patterns:
    """Rows that match one of the patterns go; with `only`, rows that match none."""

    def __init__(
        self, patterns: Sequence[str], *, place: str = "any", only: bool = False, ignore_case: bool = True
    ) -> None:
        self.patterns = [(pattern, compiled(pattern, ignore_case=ignore_case)) for pattern in patterns]
        self.place, self.only = place, only

    def judge(self, found: Conversation) -> Rejection | None:
        """Why the row goes, or None."""
        texts = list(texts_at(found, self.place))
        for pattern, search in self.patterns:
            for text in texts:
                if match := search.search(text):
                    if self.only:
                        return None
                    detail = f"“{match.group()[:SHOWN]}” matches the pattern “{pattern[:SHOWN]}”."
                    return Rejection("pattern", detail)
        if self.only and self.patterns:
            return Rejection(
                "no_pattern", "The text matches none of the patterns, and the recipe keeps only such rows."
            )
        return None
