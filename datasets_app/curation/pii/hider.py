"""What a run finds in texts that are shown of its rows: in the ledger, the report and previews. Knows the recipe's options.

Each text stands alone here. What the step knows of a row by its columns, its turns and people's decisions comes with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from datasets_app.curation.pii.finder import finder
from datasets_app.curation.pii.lists import Phrases, Values, denied
from datasets_app.curation.pii.overlaps import settle
from datasets_app.curation.pii.patterns import Span
from datasets_app.curation.recipe import Recipe, texts_option


class Hider:
    """The finder, with `names` also for what has no shape, and the workspace's texts that are always personal."""

    def __init__(self, *, names: bool = False, deny: Sequence[str] = ()) -> None:
        self.names, self.denied = names, denied(deny)

    @classmethod
    def of(cls, recipe: Recipe) -> Hider:
        """As the recipe hides personal data; by shapes alone where it does not."""
        step = recipe.step("personal_data")
        return cls(names=recipe.looks_for_names, deny=texts_option(step, "deny")) if step else cls()

    def find(self, texts: Sequence[str], personal: Sequence[Values] = ()) -> list[list[Span]]:
        """For each text its findings: sorted, inside the text, none over another. `personal`: what its row is known to
        hold."""
        found = finder(names=self.names).find(texts)
        rows = zip(texts, found, personal or [()] * len(texts), strict=True)
        return [self._with_more(text, spans, values) for text, spans, values in rows]

    def _with_more(self, text: str, spans: list[Span], values: Values) -> list[Span]:
        more = [*self.denied.find(text, "list"), *Phrases(values).find(text, "column")]
        return settle(text, [*spans, *more]) if more else spans
