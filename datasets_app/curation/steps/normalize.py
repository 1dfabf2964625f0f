"""The step `normalize`: tidy text in every turn, labels among them."""

from __future__ import annotations

from collections import Counter

from datasets_app.curation.normalize import normalize
from datasets_app.curation.steps import TextStep


class Normalize(TextStep):
    """Repairs encodings, HTML, Unicode form and spaces."""

    labels_too = True

    def edit(self, text: str, counts: Counter[str]) -> str:
        return normalize(text, self.options["parts"])
