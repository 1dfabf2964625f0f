"""Personal data by shapes, check digits and the words around: what a web process can find without a model.

Names are found where somebody introduces them ("my name is …"); the finder of curation, which knows more, needs
libraries that a web process does not load.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from datasets_app.curation.pii import introductions, numbers, patterns
from datasets_app.curation.pii.lists import Allowed, Phrases, denied
from datasets_app.curation.pii.masking import masked
from datasets_app.curation.pii.overlaps import settle
from datasets_app.curation.pii.patterns import Span
from datasets_app.curation.pii.talk import Talk
from serving_app.guardrails.folding import Folded, fold


@dataclass(frozen=True, slots=True)
class Personal:
    """A workspace's eye for personal data: `allowed` is never any, `denied` always is."""

    allowed: Allowed = field(default_factory=lambda: Allowed(()))
    denied: Phrases = field(default_factory=lambda: denied(()))

    @classmethod
    def of(cls, *, allow: Iterable[str], deny: Iterable[str]) -> Personal:
        """With the lists that the workspace keeps."""
        return cls(Allowed([fold(each).text for each in allow]), denied([fold(each).text for each in deny]))

    def find(self, text: str, earlier: Sequence[str] | Talk = ()) -> list[Span]:
        """Sorted findings that do not overlap. `earlier`: the turns before, oldest first; they explain bare numbers."""
        read = fold(text)
        surest = [*patterns.find(read.text), *self.denied.find(read.text, "list")]
        talk = earlier if isinstance(earlier, Talk) else Talk([fold(each).text for each in earlier])
        by_words = numbers.find(read.text, talk, surest, talk.introduced)
        return self._kept(read, settle(read.text, [*surest, *introductions.find(read.text), *by_words]))

    def shapes(self, text: str) -> list[Span]:
        """The same by shapes and the workspace's list alone: what an answer is stopped for."""
        read = fold(text)
        found = [*patterns.find(read.text), *self.denied.find(read.text, "list")]
        return self._kept(read, settle(read.text, found))

    def scrubbed(self, text: str, earlier: Sequence[str] | Talk = ()) -> str:
        """The text with everything that was found behind its mask."""
        return masked(text, self.find(text, earlier))

    def _kept(self, read: Folded, spans: Sequence[Span]) -> list[Span]:
        """Those that are not allowed, where they stand in the text as it was written."""
        found = [span for span in spans if read.text[span.start : span.end] not in self.allowed]
        places = [read.was(span.start, span.end) for span in found]
        return [replace(span, start=start, end=end) for span, (start, end) in zip(found, places, strict=True)]


def storable(text: str) -> str:
    """The text as every database takes it: without NUL and without halves of a character."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
