"""The records of a file as one conversation each, with the columns that hold it. Cleans and counts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from datasets_app.curation.errors import Refusal
from datasets_app.curation.layouts import ColumnMap, guess_mapping
from datasets_app.curation.readers.source import Source
from datasets_app.curation.recipe import Recipe
from datasets_app.curation.rows import Problem, Record
from datasets_app.curation.turns import joined

SAMPLES = 200  # as many as people are shown columns of


def records_of(recipe: Recipe, source: Source) -> tuple[Iterator[Record | Problem], ColumnMap]:
    """Records, turns joined where each is a row of its own, and the mapping that reads them. The iterator raises Refusal
    where the file breaks off."""
    return joined(source.records(), mapping_of(recipe, source))


def mapping_of(recipe: Recipe, source: Source) -> ColumnMap:
    """What the columns of the file as it came mean: the recipe's mapping where its columns are in it, else the guess."""
    samples = _samples(source)
    given = recipe.mapping
    names = {name for sample in samples for name in sample.values}
    fits = given is not None and set(given.columns()) - set(given.group) <= names
    return given if given is not None and fits else guess_mapping(samples)


def _samples(source: Source) -> list[Record]:
    """The first records, as far as the file can be read."""
    found: list[Record] = []
    try:
        found.extend(record for record in islice(source.records(), SAMPLES) if isinstance(record, Record))
    except Refusal:
        return found
    return found
