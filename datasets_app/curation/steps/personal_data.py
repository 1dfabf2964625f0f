"""The step `personal_data`: what is found is hidden by policy, or its row dropped. A batch is searched at once.

`names` is on unless a recipe says otherwise; without the tagger people and addresses stay unless a word before gives them
away.
Beside what the finder finds, a column's name tells of its values and of where they stand in the row's turns, and the
workspace's list names texts that are always personal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from datasets_app.curation.mapping import label_of
from datasets_app.curation.pii.columns import spoken, typed_values
from datasets_app.curation.pii.finder import finder
from datasets_app.curation.pii.lists import Phrases, denied
from datasets_app.curation.pii.masking import Hit, Place, Policy, applied, drops, hidden, policy_of
from datasets_app.curation.pii.overlaps import settle
from datasets_app.curation.pii.patterns import Span
from datasets_app.curation.pii.traces import traces
from datasets_app.curation.rows import Message, Rejection
from datasets_app.curation.steps import Candidate, Outcome, RowStep

EARLIER_TURNS = 8


class PersonalData(RowStep):
    """With `turns` = user, the other turns stay as they are. A class label is searched by itself, whoever says it: an agent's
    name is a label, too. In a label the model's guess counts for whole names of several words alone ("joy" is a feeling)."""

    @cached_property
    def policy(self) -> Policy:
        """What happens to each type, under the workspace's secret."""
        return policy_of(self.options, self.known.secret)

    @cached_property
    def denied(self) -> Phrases:
        """The workspace's texts that are always personal."""
        return denied(self.options["deny"])

    def run(self, rows: Sequence[Candidate], counts: Counter[str]) -> list[Outcome]:
        wanted = [self._turns(row) for row in rows]
        texts, earlier = [], []
        for row, places in zip(rows, wanted, strict=True):
            turns = [message["content"] for message in row.conversation.messages]
            texts += [turns[place] for place in places]
            earlier += [turns[max(0, place - EARLIER_TURNS) : place] for place in places]
        search = finder(names=self.options["names"])
        found = iter(search.find(texts, earlier))
        labels = list(dict.fromkeys(label for row in rows if (label := row.conversation.label)))
        known = dict(zip(labels, search.find(labels), strict=True))
        return [
            self._hidden(row, {place: next(found) for place in places}, known, counts)
            for row, places in zip(rows, wanted, strict=True)
        ]

    def _turns(self, row: Candidate) -> list[int]:
        """Places of the turns that are looked at."""
        messages = row.conversation.messages
        count = len(messages) - row.conversation.answer_is_label
        only_user = self.options["turns"] == "user"
        return [place for place in range(count) if not only_user or messages[place]["role"] == "user"]

    def _hidden(
        self, row: Candidate, found: dict[int, list[Span]], labels: dict[str, list[Span]], counts: Counter[str]
    ) -> Outcome:
        by_column = Phrases(typed_values(spoken(row.record.values, row.mapping)))
        messages, sums, dropped = list(row.conversation.messages), Counter[str](), None
        label, last = row.conversation.label, len(messages) - 1
        if label and row.conversation.answer_is_label:
            found = {**found, last: _of_label(label, labels[label], messages[last]["content"])}
        elif label:
            hits = self._hits(label, _whole(label, labels[label]), by_column, Place(row.file, row.record.row, last))
            dropped = drops(hits)
            label = label_of(applied(label, hits))
            sums += hidden(hits)
        for place, spans in found.items():
            role, text = messages[place]["role"], messages[place]["content"]
            at = Place(row.file, row.record.row, place)
            hits = self._hits(text, spans, by_column, at)
            self.notes += traces(text, role, hits, at)
            gone = [(text[hit.span.start : hit.span.end], hit.span.entity_type) for hit in hits if hit.action != "keep"]
            self.values[row.record.row] = (*self.values.get(row.record.row, ()), *gone)
            dropped = dropped or drops(hits)
            messages[place] = Message(role=role, content=applied(text, hits))
            sums += hidden(hits)
        if dropped:
            return Rejection("personal_data", f"The row holds {dropped}, and the recipe drops such rows.")
        counts.update(sums)
        if label and row.conversation.answer_is_label:
            label = label_of(messages[last]["content"])
        return replace(row.conversation, messages=tuple(messages), label=label)

    def _hits(self, text: str, spans: list[Span], by_column: Phrases, at: Place) -> list[Hit]:
        return self.policy.judged(text, self._all(text, spans, by_column), at)

    def _all(self, text: str, spans: list[Span], by_column: Phrases) -> list[Span]:
        more = [*by_column.find(text, "column"), *self.denied.find(text, "list")]
        return settle(text, [*spans, *more]) if more else spans


def _whole(label: str, spans: list[Span]) -> list[Span]:
    """Findings of a label without the model's guesses at parts of it and at single words."""
    return [span for span in spans if span.source != "model" or (span.end - span.start == len(label) and " " in label)]


def _of_label(label: str, spans: list[Span], answer: str) -> list[Span]:
    """The findings of a label where they stand in the answer that is the label, spaces apart."""
    start = answer.find(label)
    found = _whole(label, spans)
    if start < 0:  # the answer has other spaces: all of it is the label
        return [replace(span, start=0, end=len(answer)) for span in found[:1]]
    return [replace(span, start=start + span.start, end=start + span.end) for span in found]
