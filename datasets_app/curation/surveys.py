"""What a step must know of the data as a whole: one look over its first rows before the first pass.

A survey sees rows as they were mapped, tidied where the recipe tidies, and before any other step. It sees at most
MOST_ROWS rows of each file, from its start, so that what it finds does not depend on how many processes work.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import islice
from typing import Any

from datasets_app.curation.cleaning.languagetool import server_for
from datasets_app.curation.errors import Refusal
from datasets_app.curation.kinds import BY_NAME
from datasets_app.curation.mapping import map_record
from datasets_app.curation.normalize import normalize
from datasets_app.curation.readers.source import Source
from datasets_app.curation.recipe import Recipe
from datasets_app.curation.records import records_of
from datasets_app.curation.rows import Conversation, Message, Problem, Rejection

MOST_ROWS = 50_000


class Survey(ABC):
    """Collects what one step must know. `options` are the step's."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options

    @abstractmethod
    def add(self, found: Conversation) -> None:
        """One row more."""

    @abstractmethod
    def result(self) -> Any:
        """What was found, as plain values: it travels to other processes."""


def check_server(recipe: Recipe, languagetool_url: str | None) -> None:
    """Raises Refusal where a step wants a LanguageTool server and none, or no proper address, is given. Asks nobody."""
    grammar = recipe.step("grammar")
    if grammar is not None:
        server_for(grammar.options, languagetool_url)


def survey(recipe: Recipe, sources: Sequence[Source], progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """What the steps of a recipe need to know, by kind; the files are read only where some step needs anything."""
    asked = {step.kind: _made(BY_NAME[step.kind].survey, step.options) for step in recipe.steps if _asks(step.kind)}
    if not asked:
        return {}
    for place, source in enumerate(sources):
        progress("survey", place, len(sources))
        for found in _conversations(recipe, source):
            for each in asked.values():
                each.add(found)
    progress("survey", len(sources), len(sources))
    return {kind: each.result() for kind, each in asked.items()}


def _asks(kind: str) -> bool:
    return bool(BY_NAME[kind].survey)


def _made(where: str, options: Mapping[str, Any]) -> Survey:
    module, _, name = where.partition(":")
    made = getattr(import_module(module), name)(options)
    assert isinstance(made, Survey)  # noqa: S101 - the table says so
    return made


def _conversations(recipe: Recipe, source: Source) -> Iterable[Conversation]:
    tidies = recipe.step("normalize") is not None
    records, mapping = records_of(recipe, source)
    try:
        for record in islice(records, MOST_ROWS):
            if isinstance(record, Problem) or mapping.layout in ("text", "unknown"):
                continue
            found = map_record(record, mapping, system_prompt="")
            if not isinstance(found, Rejection):
                yield _tidied(found) if tidies else found
    except Refusal:
        return  # the first pass meets it again and says so


def _tidied(found: Conversation) -> Conversation:
    messages = (Message(role=each["role"], content=normalize(each["content"])) for each in found.messages)
    return replace(found, messages=tuple(messages))
